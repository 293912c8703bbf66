"""Prefetched items: right, in any order, and read in threads a little ahead."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.images.read_ahead import CHUNK, FEWEST_CHUNKS, THREADS, ReadAhead


@given(st.integers(0, 300))
def test_items_come_in_order_and_are_read_once(length):
    asked = []
    items = ReadAhead(lambda position: asked.append(position) or position**2, length)
    assert [items[position] for position in range(len(items))] == [position**2 for position in range(length)]
    assert sorted(asked) == list(range(length))


@given(st.lists(st.integers(0, 99), max_size=30))
def test_any_order_gives_the_right_items(positions):
    items = ReadAhead(lambda position: -position, 100)
    assert [items[position] for position in positions] == [-position for position in positions]


def test_chunks_are_read_at_the_same_time():
    together = threading.Barrier(THREADS, timeout=10)  # breaks unless all threads come

    def read(position):
        return together.wait() if position >= CHUNK and position % CHUNK == 0 else position

    items = ReadAhead(read, CHUNK * (1 + THREADS))
    assert items[0] == 0  # the size of items is known from here on
    assert sorted(items[CHUNK * (1 + thread)] for thread in range(THREADS)) == list(range(THREADS))


def test_only_a_few_chunks_are_held():
    items = ReadAhead(lambda position: position, 10_000)
    assert max(len(items.chunks) for position in range(10_000) if items[position] >= 0) <= THREADS + 1


@pytest.mark.parametrize("megabytes, chunks", [(0, THREADS), (8, 4), (20, FEWEST_CHUNKS), (1000, FEWEST_CHUNKS)])
def test_of_large_items_fewer_are_held(megabytes, chunks):
    items = ReadAhead(lambda position: position, 1000, size=lambda item: megabytes << 20)
    held = [len(items.chunks) for position in range(1000) if items[position] >= 0]
    assert max(held[5 * CHUNK :]) == chunks


def test_what_goes_wrong_is_raised_where_the_item_is_asked_for():
    def read(position):
        if position == 2 * CHUNK:
            raise OSError("no such file")
        return position

    items = ReadAhead(read, 3 * CHUNK)
    assert [items[position] for position in range(2 * CHUNK)] == list(range(2 * CHUNK))
    with pytest.raises(OSError, match="no such file"):
        items[2 * CHUNK]

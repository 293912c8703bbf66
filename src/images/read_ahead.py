"""Reads a sequence a little ahead of the one who asks, in threads: slow disks and networks answer many at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

Item = TypeVar("Item")

CHUNK = 8  # items that a thread reads in one go
THREADS = 8  # they wait more than they work


class ReadAhead(Generic[Item]):
    """`read(0)` to `read(length - 1)`, to be asked for in this order (another one works, but costs memory)."""

    def __init__(self, read: Callable[[int], Item], length: int) -> None:
        self.read, self.length = read, length
        self.pool = ThreadPoolExecutor(THREADS, thread_name_prefix="read-ahead")
        self.chunks: dict[int, Future[list[Item]]] = {}

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, position: int) -> Item:
        """One item.

        Raises:
            Exception: what `read` raised for this item or a neighbour.
        """
        chunk, place = divmod(position, CHUNK)
        if place == 0:
            self.chunks.pop(chunk - 1, None)
            for number in range(chunk, min(chunk + THREADS, -(-self.length // CHUNK))):
                self._start(number)
        return self._start(chunk).result()[place]

    def _start(self, chunk: int) -> Future[list[Item]]:
        if chunk not in self.chunks:
            positions = range(chunk * CHUNK, min((chunk + 1) * CHUNK, self.length))
            self.chunks[chunk] = self.pool.submit(lambda: [self.read(position) for position in positions])
        return self.chunks[chunk]

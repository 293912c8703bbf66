"""Rows of cells as straight columns, and numbers of a stage as text."""

import pytest

from src.search.columns import aligned, slashed


def test_left_columns_are_flush_left_and_others_flush_right():
    assert aligned([("a", "b", 1), ("long", "c", 100)], left=2) == "a     b    1\nlong  c  100"


def test_lines_do_not_end_in_spaces():
    assert aligned([("a", "long"), ("b", "")], left=2) == "a  long\nb"


@pytest.mark.parametrize("numbers, text", [(6, "6"), (0.25, "0.25"), ((6.0, 2.5), "6/2.5")])
def test_numbers_of_a_stage(numbers, text):
    assert slashed(numbers) == text

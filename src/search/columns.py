"""Text in straight columns, and the numbers of a stage as text."""

from __future__ import annotations

from collections.abc import Sequence

from src.design.architecture import PerBlock, as_tuple


def aligned(rows: Sequence[Sequence[object]], left: int = 1) -> str:
    """Return rows of cells as lines of columns. The first `left` columns are flush left, the others flush right."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells)]
    lines = [
        "  ".join(cell.ljust(width) if index < left else cell.rjust(width) for index, (cell, width) in enumerate(line))
        for line in (zip(row, widths) for row in cells)
    ]
    return "\n".join(line.rstrip() for line in lines)


def slashed(numbers: PerBlock) -> str:
    """Return `expand` or `se` of a stage as text: (6, 2.5, 2.3) is `6/2.5/2.3`."""
    return "/".join(f"{number:g}" for number in as_tuple(numbers))

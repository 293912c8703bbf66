"""An architecture and its cost as a table to read."""

from __future__ import annotations

from collections.abc import Sequence

from src.design.architecture import Architecture, Stage, each
from src.design.cost import cost_table, total_cost

HEADER = ("part", "block", "kernel", "stride", "expand", "channels", "repeats", "se", "size", "M MACs", "parameters")
ENDS = {"stem": ("conv", 3, 2), "head_conv": ("conv", 1, 1), "head": ("conv", 1, 1), "classifier": ("linear", "", "")}


def table(architecture: Architecture, num_classes: int = 1000, in_channels: int = 3) -> str:
    """One line for each part: what it is, the width and height (pixels) of the map that it puts out, what it costs.

    Where the blocks of a stage differ, their expansions and squeeze-excite shares stand as `first/second/...`, the
    last one for all further blocks.
    """
    rows: list[tuple] = [HEADER]
    for row in cost_table(architecture, num_classes, in_channels):
        described = _ends(row.name, row.channels) if row.name in ENDS else _stage(architecture.stages[len(rows) - 2])
        rows.append((row.name, *described, row.size, f"{row.cost.macs / 1e6:,.2f}", f"{row.cost.parameters:,}"))
    total = total_cost(architecture, num_classes, in_channels)
    rows.append(("total", *[""] * 8, f"{total.macs / 1e6:,.2f}", f"{total.parameters:,}"))
    title = f"{architecture.name}, {architecture.resolution} x {architecture.resolution}"
    return f"{title}\n{aligned(rows, left=2)}"


def aligned(rows: Sequence[Sequence[object]], left: int = 1) -> str:
    """Rows of cells as straight columns: the first `left` ones begin alike, the others end alike."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells)]
    lines = [
        "  ".join(cell.ljust(width) if index < left else cell.rjust(width) for index, (cell, width) in enumerate(line))
        for line in (zip(row, widths) for row in cells)
    ]
    return "\n".join(line.rstrip() for line in lines)


def _ends(name: str, channels: int) -> tuple:
    block, kernel, stride = ENDS[name]
    return block, kernel, stride, "", channels, "", ""


def _stage(stage: Stage) -> tuple:
    expand, se = ("/".join(f"{number:g}" for number in each(values)) for values in (stage.expand, stage.se))
    return stage.block, stage.kernel, stage.stride, expand, stage.channels, stage.repeats, se

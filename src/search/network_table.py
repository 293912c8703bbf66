"""The table of one architecture, or of a detector, and its cost."""

from __future__ import annotations

from src.design.architecture import Architecture, Stage
from src.design.cost import cost_table, total_cost
from src.design.detector import Detector, detector_cost, detector_cost_table
from src.search.columns import aligned, slashed

HEADER = ("part", "block", "kernel", "stride", "expand", "channels", "repeats", "se", "size", "M MACs", "parameters")
LAYERS = {
    #              block     kernel stride
    "stem":       ("conv",   3,     2),
    "head_conv":  ("conv",   1,     1),
    "head":       ("conv",   1,     1),
    "classifier": ("linear", "",    ""),
}  # fmt: skip


def network_table(architecture: Architecture, num_classes: int = 1000, in_channels: int = 3) -> str:
    """Return a table with a line for each part of a network: its description, its output size in pixels and its cost.

    If the blocks of a stage differ, their expansions and squeeze-excite shares are written as `first/second/...`. The
    last number also counts for all later blocks. `no skip` means that no block adds its input to its output.
    """
    stages = iter(architecture.stages)
    rows: list[tuple[object, ...]] = [HEADER]
    for row in cost_table(architecture, num_classes, in_channels):
        described = _layer(row.name, row.channels) if row.name in LAYERS else _stage(next(stages))
        rows.append((row.name, *described, row.size, f"{row.cost.macs / 1e6:,.2f}", f"{row.cost.parameters:,}"))
    total = total_cost(architecture, num_classes, in_channels)
    rows.append(("total", *[""] * 8, f"{total.macs / 1e6:,.2f}", f"{total.parameters:,}"))
    title = f"{architecture.name}, {architecture.resolution} x {architecture.resolution}"
    return f"{title}\n{aligned(rows, left=2)}"


def detector_table(detector: Detector) -> str:
    """Return a table with a line for each part of a detector: its output channels and size in pixels, and its cost."""
    rows: list[tuple[object, ...]] = [("part", "channels", "size", "M MACs", "parameters")]
    for row in detector_cost_table(detector):
        rows.append((row.name, row.channels, row.size, f"{row.cost.macs / 1e6:,.2f}", f"{row.cost.parameters:,}"))
    whole = detector_cost(detector)
    rows.append(("total", "", "", f"{whole.macs / 1e6:,.2f}", f"{whole.parameters:,}"))
    title = f"SSDLite on {detector.backbone.name}, {detector.size} x {detector.size}, {detector.num_classes} classes"
    return f"{title}, {detector.anchors:,} anchors\n{aligned(rows)}"


def _layer(name: str, channels: int) -> tuple[object, ...]:
    block, kernel, stride = LAYERS[name]
    return block, kernel, stride, "", channels, "", ""


def _stage(stage: Stage) -> tuple[object, ...]:
    expand, se = slashed(stage.expand), slashed(stage.se)
    block = stage.block if stage.skip else f"{stage.block}, no skip"
    return block, stage.kernel, stage.stride, expand, stage.channels, stage.repeats, se

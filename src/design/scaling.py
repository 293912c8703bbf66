"""Rules that turn one architecture into another. Here: the tiny formula's shrinking rule.

It differs from EfficientNet's growing rule in three ways (checked against the authors' released code): repeats are
rounded and not rounded up, the stem keeps its width, and the head never becomes narrower than the base's.
"""

from __future__ import annotations

from dataclasses import replace

from src.design.architecture import Architecture
from src.errors import UserError


def round_channels(channels: float, divisor: int = 8) -> int:
    """`channels` to the nearest multiple of `divisor`, never below 90 % of it (MobileNetV2's rule)."""
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded


def tiny_scale(base: Architecture, resolution: float, width: float, depth: float, name: str = "") -> Architecture:
    """Shrink `base` by the TinyNet coefficients, each a factor > 0 (1 keeps what the base has).

    The resolution is cut down to whole pixels, not rounded: 0.86 x 224 gives 192.

    Raises:
        UserError: a coefficient is not positive.
    """
    for key, value in {"resolution": resolution, "width": width, "depth": depth}.items():
        if not value > 0:
            raise UserError(f"{key} is {value}; the tiny formula needs a factor above 0, such as 0.5")
    stages = tuple(
        replace(stage, channels=round_channels(stage.channels * width), repeats=max(1, round(stage.repeats * depth)))
        for stage in base.stages
    )
    return replace(
        base,
        name=name or f"tinynet(r={resolution:g}, w={width:g}, d={depth:g})",
        resolution=int(base.resolution * resolution),
        stages=stages,
        head=max(base.head, round_channels(base.head * width)),
    )

"""What a network is: a stem, a list of stages, a head and an input resolution, as plain data.

Scaling makes one `Architecture` from another, `cost.py` counts it, and the Cells are built from the `Block`s
that it expands to, so that table, cost and network cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from src.errors import UserError

BlockKind = Literal["ds", "ir"]  # depthwise separable; inverted residual (MBConv)


@dataclass(frozen=True)
class Block:
    """One block with every channel count resolved.

    `hidden` is the width of the depthwise convolution, `se_channels` the width inside squeeze-excite (0: none).
    """

    kind: BlockKind
    kernel: int
    stride: int
    in_channels: int
    hidden: int
    out_channels: int
    se_channels: int

    @property
    def residual(self) -> bool:
        """Whether the input is added to the output."""
        return self.stride == 1 and self.in_channels == self.out_channels


@dataclass(frozen=True)
class Stage:
    """`repeats` equal blocks; the first one carries the stride and the change of width.

    `expand` multiplies a block's input channels to give `hidden`; `se` multiplies them to give `se_channels`.
    """

    block: BlockKind
    kernel: int
    stride: int
    expand: float
    channels: int
    repeats: int
    se: float = 0.25

    def blocks(self, in_channels: int) -> tuple[Block, ...]:
        """The stage's blocks when `in_channels` come in."""
        widths = (in_channels,) + (self.channels,) * (self.repeats - 1)
        return tuple(
            Block(
                kind=self.block,
                kernel=self.kernel,
                stride=self.stride if index == 0 else 1,
                in_channels=width,
                hidden=int(width * self.expand),
                out_channels=self.channels,
                se_channels=max(1, int(width * self.se)) if self.se else 0,
            )
            for index, width in enumerate(widths)
        )


@dataclass(frozen=True)
class Architecture:
    """A whole network: 3x3 stem of stride 2, stages, 1x1 head, global mean, linear classifier."""

    name: str
    resolution: int
    stem: int
    stages: tuple[Stage, ...]
    head: int

    def __post_init__(self) -> None:
        """Refuse a network that cannot be built.

        Raises:
            UserError: a size is not positive, or a kernel is even (padding k//2 keeps sizes for odd ones only).
        """
        sizes = {"resolution": self.resolution, "stem": self.stem, "head": self.head}
        for index, stage in enumerate(self.stages):
            sizes |= {f"stages[{index}].{key}": getattr(stage, key) for key in ("channels", "repeats", "stride")}
            if stage.kernel % 2 == 0:
                raise UserError(f"{self.name}: stages[{index}].kernel is {stage.kernel}; it must be odd")
        for key, value in sizes.items():
            if value < 1:
                raise UserError(f"{self.name}: {key} is {value}; it must be at least 1")

    def blocks(self) -> tuple[tuple[Block, ...], ...]:
        """The blocks of each stage, widths chained through."""
        widths = (self.stem,) + tuple(stage.channels for stage in self.stages)
        return tuple(stage.blocks(width) for stage, width in zip(self.stages, widths, strict=False))

    def at(self, resolution: int) -> Architecture:
        """The same network at another input size, in pixels."""
        return replace(self, resolution=resolution)

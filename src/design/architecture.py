"""What a network is: a stem, a list of stages, a head and an input resolution, as plain data.

Scaling makes one `Architecture` from another, `cost.py` counts it, and the Cells are built from the `Block`s
that it expands to, so that table, cost and network cannot disagree. One description covers EfficientNet, TinyNet,
GhostNet and S-GhostNet: a `Stage` is the blocks of one width, and what a family does alike everywhere is its `Style`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from typing import Literal, NamedTuple, get_args

from src.errors import UserError

BlockKind = Literal["ds", "ir", "ghost"]  # depthwise separable; inverted residual (MBConv); ghost bottleneck
Activation = Literal["silu", "relu", "hard_swish"]
Gate = Literal["sigmoid", "hard_sigmoid"]

BLOCK_KINDS = get_args(BlockKind)


def round_channels(channels: float, divisor: int = 8) -> int:
    """`channels` to the nearest multiple of `divisor`, never below 90 % of it (MobileNetV2's rule)."""
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded


@dataclass(frozen=True)
class Style:
    """What a family does alike in all its blocks; the defaults are EfficientNet's and TinyNet's.

    A divisor says what a width is rounded to a multiple of (`round_channels`); 1 cuts it down to whole channels.
    """

    stem_activation: Activation = "silu"
    activation: Activation = "silu"  # of the blocks, and of the convolution between them and the pool
    head_activation: Activation = "silu"  # of the features that the classifier sees
    se_activation: Activation = "silu"  # between squeeze-excite's two convolutions
    se_gate: Gate = "sigmoid"
    se_of: Literal["input", "hidden"] = "input"  # the width that a stage's `se` is a share of
    se_divisor: int = 1
    hidden_divisor: int = 1
    divisor: int = 8  # of stem, stages and head, when a network is scaled


class Block(NamedTuple):
    """One block with every channel count resolved.

    `hidden` is the width of the depthwise convolution, `se_channels` the width inside squeeze-excite (0: none).
    Squeeze-excite sits between the depthwise convolution and the projection to `out_channels` in every kind.
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
        """Whether the input is added to the output as it is. (A ghost bottleneck always adds: else a projection.)"""
        return self.stride == 1 and self.in_channels == self.out_channels


@dataclass(frozen=True)
class Stage:
    """`repeats` blocks of one width; the first one carries the stride and the change of width.

    `expand` multiplies a block's input channels to give `hidden`; `se` is squeeze-excite's share of the width that
    the style names. Each is one number for all blocks, or a tuple with one a block, the last one for all further.
    """

    block: BlockKind
    kernel: int
    stride: int
    expand: float | tuple[float, ...]
    channels: int
    repeats: int
    se: float | tuple[float, ...] = 0.25

    def blocks(self, in_channels: int, style: Style = Style()) -> tuple[Block, ...]:
        """The stage's blocks when `in_channels` come in."""
        blocks, width, stride = [], in_channels, self.stride
        distinct = min(self.repeats, max(2, len(each(self.expand)), len(each(self.se))))
        for index in range(distinct):
            hidden = _rounded(width * nth(self.expand, index), style.hidden_divisor)
            share = nth(self.se, index)
            squeezed = _rounded((width if style.se_of == "input" else hidden) * share, style.se_divisor) if share else 0
            blocks.append(Block(self.block, self.kernel, stride, width, hidden, self.channels, squeezed))
            width, stride = self.channels, 1
        return tuple(blocks + blocks[-1:] * (self.repeats - distinct))


@dataclass(frozen=True)
class Architecture:
    """A whole network: 3x3 stem of stride 2, stages, 1x1 head, global mean, linear classifier.

    `head` is the number of features that the classifier sees. GhostNet computes them after the mean: there a 1x1
    convolution of width `head_conv` comes before it (0: none, the head itself comes before the mean).
    """

    name: str
    resolution: int
    stem: int
    stages: tuple[Stage, ...]
    head: int
    head_conv: int = 0
    style: Style = Style()

    def __post_init__(self) -> None:
        """Refuse a network that cannot be built.

        Raises:
            UserError: a size or a share is out of range, a kernel is even (padding k//2 keeps sizes for odd ones
                only), a block kind is unknown, "ds" expands, or a ghost bottleneck has an odd width.
        """
        for key, least in (("resolution", 1), ("stem", 1), ("head", 1), ("head_conv", 0)):
            self._at_least(least, key, getattr(self, key))
        for key in ("se_divisor", "hidden_divisor", "divisor"):
            self._at_least(1, f"style.{key}", getattr(self.style, key))
        if not self.stages:
            raise UserError(f"{self.name}: stages is empty; a network needs at least one")
        for index, stage in enumerate(self.stages):
            self._check(stage, f"stages[{index}]")

    def blocks(self) -> tuple[tuple[Block, ...], ...]:
        """The blocks of each stage, widths chained through."""
        widths = (self.stem,) + tuple(stage.channels for stage in self.stages)
        return tuple(stage.blocks(width, self.style) for stage, width in zip(self.stages, widths, strict=False))

    def at(self, resolution: int) -> Architecture:
        """The same network at another input size, in pixels."""
        return replace(self, resolution=resolution)

    def _check(self, stage: Stage, where: str) -> None:
        for key in ("kernel", "stride", "channels", "repeats"):
            self._at_least(1, f"{where}.{key}", getattr(stage, key))
        if stage.block not in BLOCK_KINDS:
            raise UserError(f"{self.name}: {where}.block is {stage.block!r}; there are {', '.join(BLOCK_KINDS)}")
        if stage.kernel % 2 == 0:
            raise UserError(f"{self.name}: {where}.kernel is {stage.kernel}; it must be odd")
        expands, shares = each(stage.expand), each(stage.se)
        if not expands or not all(0 < expand < inf for expand in expands):
            raise UserError(f"{self.name}: {where}.expand is {stage.expand}; it must be above 0 and finite")
        if not shares or not all(0 <= share <= 1 for share in shares):
            raise UserError(f"{self.name}: {where}.se is {stage.se}; it must be between 0 and 1")
        if stage.block == "ds" and expands != (1,):
            raise UserError(f"{self.name}: {where}.expand is {stage.expand}; a ds block has none: set it to 1")
        if stage.block == "ghost" and (stage.channels % 2 or self.style.hidden_divisor % 2):
            raise UserError(
                f"{self.name}: {where} is of ghost bottlenecks, which make half their channels from the other half; "
                f"channels ({stage.channels}) and style.hidden_divisor ({self.style.hidden_divisor}) must be even"
            )

    def _at_least(self, least: int, key: str, value: int) -> None:
        if value < least:
            raise UserError(f"{self.name}: {key} is {value}; it must be at least {least}")


def each(value: float | tuple[float, ...]) -> tuple[float, ...]:
    """A stage's `expand` or `se` as a tuple."""
    return value if isinstance(value, tuple) else (value,)


def nth(value: float | tuple[float, ...], index: int) -> float:
    """A stage's `expand` or `se` in its block `index`."""
    return value[min(index, len(value) - 1)] if isinstance(value, tuple) else value


def shortest(values: tuple[float, ...]) -> float | tuple[float, ...]:
    """A stage's `expand` or `se` from one number a block, without what the last number says anyway."""
    while len(values) > 1 and values[-1] == values[-2]:
        values = values[:-1]
    return values if len(values) > 1 else values[0]


def _rounded(width: float, divisor: int) -> int:
    return max(1, int(width)) if divisor == 1 else round_channels(width, divisor)

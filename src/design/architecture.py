"""A network as plain data: a stem, a list of stages, a head and an input resolution.

Scaling makes one `Architecture` from another. `layer_table.py` lists its layers, `cost.py` counts them, and the Cells
of `src/networks/` are built from the same `Block`s. tests/unit/networks/test_network.py checks that Cells, layer table
and cost agree, for every published network and for random ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from typing import Literal, NamedTuple, TypeAlias, get_args

from src.errors import UserError

Family = Literal["efficientnet", "tinynet", "ghostnet", "s_ghostnet"]
BlockKind = Literal["ds", "ir", "ghost"]  # depthwise separable; inverted residual (MBConv); ghost bottleneck
Activation = Literal["silu", "relu", "hard_swish"]
Gate = Literal["sigmoid", "hard_sigmoid"]
Padding = Literal["symmetric", "same"]
PerBlock: TypeAlias = "float | tuple[float, ...]"  # one number for all blocks of a stage, or one for each block

FAMILIES = get_args(Family)
BLOCK_KINDS = get_args(BlockKind)

FORBID_UNKNOWN_KEYS = {"extra": "forbid"}  # for pydantic, which reads architecture files

# The settings of a `Style` that change what a network computes, but neither names nor shapes of its tensors.
ACTIVATIONS = ("stem_activation", "activation", "head_activation", "se_activation", "se_gate")
LEAST_EPSILON = 1e-30  # of BatchNorm; float32 ends at 1e-38, and MindSpore refuses 0 and more than 1
UNSEEN = (*ACTIVATIONS, "padding", "bn_epsilon")


def round_channels(channels: float, divisor: int = 8) -> int:
    """Return the multiple of `divisor` that is nearest to `channels`, but at least 90 % of `channels`.

    This is MobileNetV2's rule (`_make_divisible` in TensorFlow's models repository). The result is at least `divisor`.
    """
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded


@dataclass(frozen=True)
class Style:
    """The settings that all blocks of a network share; the defaults are those of TinyNet and of timm's EfficientNet.

    Widths are rounded to multiples of a divisor (`round_channels`). A divisor of 1 truncates to whole channels.

    Padding `symmetric` adds k//2 pixels on each side. `same` is TensorFlow's: a map of n pixels becomes one of
    ceil(n/stride), and if the pixels to add are odd in number, the additional one is at the right and at the bottom.
    """

    __pydantic_config__ = FORBID_UNKNOWN_KEYS

    stem_activation: Activation = "silu"
    activation: Activation = "silu"  # in the blocks, and after GhostNet's `head_conv`
    head_activation: Activation = "silu"  # of the features that the classifier sees
    se_activation: Activation = "silu"  # between the two convolutions of squeeze-excite
    se_gate: Gate = "sigmoid"
    se_of: Literal["input", "hidden"] = "input"  # the width that `Stage.se` multiplies: block's input or hidden width
    se_divisor: int = 1
    hidden_divisor: int = 1
    divisor: int = 8  # for stem, stages and head, when a network is scaled
    padding: Padding = "symmetric"  # of convolutions that stride; the others are padded alike by both
    bn_epsilon: float = 1e-5  # BatchNorm: added to the variance


class Block(NamedTuple):
    """One block with all channel counts.

    `hidden` is the width of the depthwise convolution. `se_channels` is the width inside squeeze-excite; 0 means that
    the block has no squeeze-excite. In every kind of block, squeeze-excite comes after the depthwise convolution and
    before the projection to `out_channels`.
    """

    kind: BlockKind
    kernel: int
    stride: int
    in_channels: int
    hidden: int
    out_channels: int
    se_channels: int
    skip: bool = True

    @property
    def residual(self) -> bool:
        """True if the block adds its input to its output unchanged. (Other ghost bottlenecks add a projection.)"""
        return self.skip and self.stride == 1 and self.in_channels == self.out_channels


@dataclass(frozen=True)
class Stage:
    """`repeats` blocks of `channels` output channels. Only the first block has the stride and changes the width.

    `expand` multiplies the input channels of a block and gives its hidden width. `se` multiplies the width that
    `Style.se_of` names and gives the width inside squeeze-excite. Both are one number for all blocks or a tuple with a
    number for each block; the last number of a short tuple also counts for all later blocks.

    Without `skip`, no block adds its input to its output. Ghost bottlenecks always do.
    """

    __pydantic_config__ = FORBID_UNKNOWN_KEYS

    block: BlockKind
    kernel: int
    stride: int
    expand: PerBlock
    channels: int
    repeats: int
    se: PerBlock = 0.25
    skip: bool = True

    def blocks(self, in_channels: int, style: Style = Style()) -> tuple[Block, ...]:
        """Return the blocks of the stage for an input of `in_channels` channels."""
        blocks: list[Block] = []
        width, stride = in_channels, self.stride
        distinct = min(self.repeats, max(2, len(as_tuple(self.expand)), len(as_tuple(self.se))))
        for index in range(distinct):
            expanded = _rounded(width * of_block(self.expand, index), style.hidden_divisor)
            hidden = width if self.block == "ds" else expanded
            share = of_block(self.se, index)
            squeezed = _rounded((width if style.se_of == "input" else hidden) * share, style.se_divisor) if share else 0
            blocks.append(Block(self.block, self.kernel, stride, width, hidden, self.channels, squeezed, self.skip))
            width, stride = self.channels, 1
        return tuple(blocks + blocks[-1:] * (self.repeats - distinct))


@dataclass(frozen=True)
class Architecture:
    """A whole network: 3x3 stem of stride 2, stages, head, linear classifier.

    The family says which Cells are built, which recipe trains the network, and what the head looks like. `head` is the
    number of features that the classifier sees, in every family.

    - EfficientNet and TinyNet: a 1x1 convolution to `head` channels, then the mean over the map. `head_conv` is 0.
    - GhostNet and S-GhostNet: a 1x1 convolution to `head_conv` channels, the mean over the map, then a 1x1 convolution
      to `head` features.
    """

    __pydantic_config__ = FORBID_UNKNOWN_KEYS

    name: str
    family: Family
    resolution: int  # width and height of the input, in pixels
    stem: int
    stages: tuple[Stage, ...]
    head: int
    head_conv: int = 0
    style: Style = Style()

    def __post_init__(self) -> None:
        """Refuse a network that cannot be built.

        Raises:
            UserError: a size, a share or the epsilon is out of range; a kernel is even (padding k//2 keeps the size
                for odd kernels only); a family or a kind of block is unknown; a "ds" block expands; a ghost bottleneck
                has an odd width or no skip; or `head_conv` does not suit the family.
        """
        if self.family not in FAMILIES:
            raise UserError(f"{self.name}: family is {self.family!r}; expected one of {', '.join(FAMILIES)}")
        for key, minimum in (("resolution", 1), ("stem", 1), ("head", 1), ("head_conv", int(self.is_ghostnet))):
            self._at_least(minimum, key, getattr(self, key))
        if self.head_conv and not self.is_ghostnet:
            raise UserError(f"{self.name}: head_conv is {self.head_conv}; family {self.family} has none: set it to 0")
        for key in ("se_divisor", "hidden_divisor", "divisor"):
            self._at_least(1, f"style.{key}", getattr(self.style, key))
        if not LEAST_EPSILON <= self.style.bn_epsilon <= 1:
            raise UserError(
                f"{self.name}: style.bn_epsilon is {self.style.bn_epsilon}; expected {LEAST_EPSILON:g} to 1"
            )
        if not self.stages:
            raise UserError(f"{self.name}: stages is empty; a network needs at least one")
        for index, stage in enumerate(self.stages):
            self._check(stage, f"stages[{index}]")

    @property
    def is_ghostnet(self) -> bool:
        """True for GhostNet and S-GhostNet, which share their Cells; the only place that asks this question."""
        return self.family in ("ghostnet", "s_ghostnet")

    def blocks(self) -> tuple[tuple[Block, ...], ...]:
        """Return the blocks of each stage. The input of a stage is the output of the stage before."""
        widths = (self.stem,) + tuple(stage.channels for stage in self.stages)
        return tuple(stage.blocks(width, self.style) for stage, width in zip(self.stages, widths, strict=False))

    def computing_as(self, style: Style) -> Architecture:
        """Return the network of the same tensors with the activations, the padding and the epsilon of `style`."""
        return replace(self, style=replace(self.style, **{key: getattr(style, key) for key in UNSEEN}))

    def with_epsilon(self, bn_epsilon: float | None) -> Architecture:
        """Return the same network with another epsilon of BatchNorm; None keeps its own."""
        return self if bn_epsilon is None else replace(self, style=replace(self.style, bn_epsilon=bn_epsilon))

    def at(self, resolution: int) -> Architecture:
        """Return the same network at another input size, in pixels."""
        return replace(self, resolution=resolution)

    def _check(self, stage: Stage, where: str) -> None:
        for key in ("kernel", "stride", "channels", "repeats"):
            self._at_least(1, f"{where}.{key}", getattr(stage, key))
        if stage.block not in BLOCK_KINDS:
            raise UserError(f"{self.name}: {where}.block is {stage.block!r}; expected one of {', '.join(BLOCK_KINDS)}")
        if stage.kernel % 2 == 0:
            raise UserError(f"{self.name}: {where}.kernel is {stage.kernel}; it must be odd")
        expands, shares = as_tuple(stage.expand), as_tuple(stage.se)
        if not expands or not all(0 < expand < inf for expand in expands):
            raise UserError(f"{self.name}: {where}.expand is {stage.expand}; it must be above 0 and finite")
        if not shares or not all(0 <= share <= 1 for share in shares):
            raise UserError(f"{self.name}: {where}.se is {stage.se}; it must be between 0 and 1")
        if stage.block == "ds" and expands != (1,):
            raise UserError(f"{self.name}: {where}.expand is {stage.expand}; a ds block does not expand: set it to 1")
        if stage.block == "ghost" and not stage.skip:
            raise UserError(f"{self.name}: {where}.skip is {stage.skip}; ghost bottlenecks always skip: set it to true")
        if stage.block == "ghost" and (stage.channels % 2 or self.style.hidden_divisor % 2):
            raise UserError(
                f"{self.name}: {where} has ghost bottlenecks, which compute half of their channels from the other "
                f"half; channels ({stage.channels}) and style.hidden_divisor ({self.style.hidden_divisor}) must be even"
            )

    def _at_least(self, minimum: int, key: str, value: int) -> None:
        if value < minimum:
            raise UserError(f"{self.name}: {key} is {value}; it must be at least {minimum}")


def as_tuple(numbers: PerBlock) -> tuple[float, ...]:
    """Return `expand` or `se` of a stage as a tuple."""
    return numbers if isinstance(numbers, tuple) else (numbers,)


def of_block(numbers: PerBlock, index: int) -> float:
    """Return the `expand` or `se` of the block at `index` in its stage."""
    return numbers[min(index, len(numbers) - 1)] if isinstance(numbers, tuple) else numbers


def compact(numbers: tuple[float, ...]) -> PerBlock:
    """Return `expand` or `se` in its shortest form, from a number for each block: (6, 2, 2) becomes (6, 2)."""
    while len(numbers) > 1 and numbers[-1] == numbers[-2]:
        numbers = numbers[:-1]
    return numbers if len(numbers) > 1 else numbers[0]


def _rounded(width: float, divisor: int) -> int:
    return max(1, int(width)) if divisor == 1 else round_channels(width, divisor)

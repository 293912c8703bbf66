"""The search space of MnasNet (CVPR 2019) around a base: six choices for each stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from src.design.architecture import Architecture, Stage, as_tuple, round_channels

# MnasNet, section 4.1, has these kernels, factors of the filters, and changes of the layers. Its expansions are 3 and
# 6; 1 is the depthwise separable block, and 4 is ours. Its plain convolution and its skip by pooling are left out.
KERNELS = (3, 5)
WIDTHS = (0.75, 1.0, 1.25)  # factors of the base's channels
REPEATS = (-1, 0, 1)  # added to the base's blocks; at least one block stays
SHARE = 0.25  # of squeeze-excite where the base has none
EXPANSIONS = (3, 4, 6)


class Choices(NamedTuple):
    """The options of a stage, cheapest first."""

    operations: tuple[Any, ...]  # kind of block and expansion
    kernels: tuple[int, ...]
    widths: tuple[float, ...]
    repeats: tuple[int, ...]
    shares: tuple[float, ...]  # of squeeze-excite
    skips: tuple[bool, ...]  # whether a block adds its input to its output, where their shapes agree


class Space:
    """Networks that differ from a base in the choices of their stages.

    A vector has six numbers for each stage: the index of the chosen option in each field of `Choices`. Resolution,
    stem, head and strides are the base's.
    """

    def __init__(self, base: Architecture) -> None:
        self.base = base
        self.choices = [choices_of(stage) for stage in base.stages]
        self.sizes = [len(options) for choices in self.choices for options in choices]
        self.start = [index for stage, choices in zip(base.stages, self.choices) for index in nearest(stage, choices)]

    def network(self, vector: Sequence[int], name: str = "") -> Architecture:
        """Return the network of a vector. Vectors that differ in what has no effect give equal networks."""
        width, stages, count = self.base.stem, [], len(Choices._fields)
        for index, (stage, choices) in enumerate(zip(self.base.stages, self.choices)):
            picked = [options[place] for options, place in zip(choices, vector[index * count :])]
            stages.append(self._effective(self._stage(stage, *picked), width))
            width = stages[-1].channels
        return replace(self.base, name=name, stages=tuple(stages))

    def _stage(
        self, stage: Stage, operation: Any, kernel: int, width: float, repeats: int, share: float, skip: bool
    ) -> Stage:
        kind, expand = operation
        channels = round_channels(stage.channels * width, self.base.style.divisor)
        blocks = max(1, stage.repeats + repeats)
        return Stage(kind, kernel, stage.stride, expand, channels, blocks, share, skip)

    def _effective(self, stage: Stage, in_channels: int) -> Stage:
        """Return the stage with skip if none of its blocks could skip, so that equal networks are equal."""
        skipping = replace(stage, skip=True)
        return stage if any(block.residual for block in skipping.blocks(in_channels, self.base.style)) else skipping


def choices_of(stage: Stage) -> Choices:
    """Return the options of a stage. Ghost bottlenecks stay what they are, and always skip."""
    share = max(*as_tuple(stage.se), 0) or SHARE
    if stage.block == "ghost":
        ghosts = tuple(("ghost", expand) for expand in (1, *EXPANSIONS))
        return Choices(ghosts, KERNELS, WIDTHS, REPEATS, (0.0, share), skips=(True,))
    others = (("ds", 1), *(("ir", expand) for expand in EXPANSIONS))
    return Choices(others, KERNELS, WIDTHS, REPEATS, (0.0, share), skips=(False, True))


def nearest(stage: Stage, choices: Choices) -> list[int]:
    """Return the options of a stage that are its own, or nearest to its first block's."""
    expand, share = as_tuple(stage.expand)[0], max(as_tuple(stage.se))
    distances = (
        lambda operation: (operation[0] != stage.block, abs(operation[1] - expand)),
        lambda kernel: abs(kernel - stage.kernel),
        lambda width: abs(width - 1),
        abs,
        lambda other: abs(other - share),
        lambda skip: skip != stage.skip,
    )
    return [min(range(len(options)), key=lambda i: far(options[i])) for options, far in zip(choices, distances)]  # noqa: B023

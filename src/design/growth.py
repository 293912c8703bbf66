"""Networks that are a little larger than another one: more blocks or channels in one stage, or more pixels.

They are the candidates of Greedy Network Enlarging (arXiv 2108.00177). The network that grows stays a part of each: no
stage loses a block or a channel, and no pixel is lost. All rules here are ours, because the paper's text gives none.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import lcm, prod
from typing import Literal

from src.design.architecture import Architecture
from src.design.cost import total_cost
from src.design.ghostnets import with_own_ends

Dimension = Literal["depth", "width", "resolution"]

MOST = 2000  # blocks, steps of channels, or pixels that are added at once
STEM_STRIDE = 2


@dataclass(frozen=True)
class Growth:
    """A grown network, and what it has more than the network that it was grown from.

    Attributes:
        dimension: what grew first; blocks or channels of the same stage may have filled the budget.
        stage: index of the stage that grew; None for the resolution.
    """

    network: Architecture
    dimension: Dimension
    stage: int | None = None
    blocks: int = 0
    channels: int = 0
    pixels: int = 0

    @property
    def place(self) -> str:
        """The part that grew, such as `depth of stage 3`."""
        return self.dimension if self.stage is None else f"{self.dimension} of stage {self.stage}"

    @property
    def change(self) -> str:
        """How much it grew, such as `+1 block +8 channels`."""
        counts = {"block": self.blocks, "channel": self.channels, "pixel": self.pixels}
        return " ".join(f"+{count} {unit}{'s' * (count > 1)}" for unit, count in counts.items() if count)


@dataclass(frozen=True)
class Budget:
    """Multiply-adds to grow to.

    Attributes:
        macs: of the grown network.
        tolerance: largest relative difference from these.
        most_blocks: that a stage may gain.
        num_classes: classes of the classifier, whose MACs count.
    """

    macs: float
    tolerance: float
    most_blocks: int
    num_classes: int = 1000

    def of(self, network: Architecture) -> int:
        """Return the multiply-adds of a network."""
        return total_cost(network, self.num_classes).macs

    def is_met(self, network: Architecture) -> bool:
        """Return whether the network has the budget's MACs within the tolerance."""
        return abs(self.of(network) / self.macs - 1) <= self.tolerance

    def nearest(self, network_of: Callable[[int], Architecture], most: int) -> int:
        """Return the count, from 1 to `most`, whose network has the nearest MACs. They rise with the count."""
        above = bisect_left(range(most), self.macs, lo=1, key=lambda count: self.of(network_of(count)))
        return min((max(1, above - 1), above), key=lambda count: abs(self.of(network_of(count)) - self.macs))

    def largest_within(self, network_of: Callable[[int], Architecture], most: int) -> int:
        """Return the largest count, from 0 to `most`, whose network does not exceed the budget."""
        return bisect_right(range(most + 1), self.macs, lo=1, key=lambda count: self.of(network_of(count))) - 1


def growths(base: Architecture, budget: Budget) -> tuple[list[Growth], list[str]]:
    """Return the networks that `base` can grow to within a budget, and the names of what cannot grow to that.

    There is at most one network for the depth and one for the width of each stage, and one for the resolution. If no
    number of blocks meets the budget, channels of the same stage fill it, and the other way round. No network is
    returned twice.
    """
    found: dict[Architecture, Growth] = {}
    exhausted = []
    for place, growth in _all_growths(base, budget):
        if growth is None:
            exhausted.append(place)
        else:
            found.setdefault(growth.network, growth)
    return list(found.values()), exhausted


def _all_growths(base: Architecture, budget: Budget) -> Iterator[tuple[str, Growth | None]]:
    for stage in range(len(base.stages)):
        yield f"depth of stage {stage}", grow_stage(base, stage, "depth", budget)
    for stage in range(len(base.stages)):
        yield f"width of stage {stage}", grow_stage(base, stage, "width", budget)
    yield "resolution", grow_resolution(base, budget)


def grow_stage(base: Architecture, stage: int, dimension: Dimension, budget: Budget) -> Growth | None:
    """Return `base` with a deeper or wider stage that meets the budget; None if no blocks and channels do."""
    step, is_depth = channel_step(base), dimension == "depth"
    most, most_filled = (budget.most_blocks, MOST) if is_depth else (MOST, budget.most_blocks)

    def grown(count: int, filled: int = 0) -> Growth:
        blocks, channels = (count, filled * step) if is_depth else (filled, count * step)
        return Growth(with_larger_stage(base, stage, blocks, channels), dimension, stage, blocks, channels)

    alone = grown(budget.nearest(lambda count: grown(count).network, most))
    if budget.is_met(alone.network):
        return alone
    count = budget.largest_within(lambda count: grown(count).network, most)
    if not count:
        return None
    filled = grown(count, budget.nearest(lambda filled: grown(count, filled).network, most_filled))
    return filled if budget.is_met(filled.network) else None


def grow_resolution(base: Architecture, budget: Budget) -> Growth | None:
    """Return `base` with more pixels that meet the budget; None if no even number of pixels does.

    A map of n pixels becomes one of ceil(n / 2), so MACs rise in stairs: EfficientNet-B0 has 17 % more at 225 pixels
    than at 224. The numbers that halve most often, up to the stride of the whole network, are the ends of the stairs.
    They are preferred; of equally good ones, the nearest to the budget.
    """
    stride = STEM_STRIDE * prod(stage.stride for stage in base.stages)

    def macs_at(pixels: int) -> int:
        return budget.of(base.at(pixels))

    larger = range(base.resolution + 1, base.resolution + MOST)
    low, high = budget.macs * (1 - budget.tolerance), budget.macs * (1 + budget.tolerance)
    first = bisect_left(larger, low, key=macs_at)
    last = bisect_right(larger, high, key=macs_at)
    even = [pixels for pixels in larger[first:last] if pixels % 2 == 0]
    if not even:
        return None

    def quality(pixels: int) -> tuple[int, float]:
        return min(pixels & -pixels, stride), -abs(macs_at(pixels) - budget.macs)

    best = max(even, key=quality)
    return Growth(base.at(best), "resolution", pixels=best - base.resolution)


def with_larger_stage(base: Architecture, index: int, blocks: int, channels: int) -> Architecture:
    """Return `base` with more blocks and channels in a stage; stem and head follow only in an S-GhostNet."""
    stage = base.stages[index]
    larger = replace(stage, repeats=stage.repeats + blocks, channels=stage.channels + channels)
    return with_own_ends(replace(base, stages=(*base.stages[:index], larger, *base.stages[index + 1 :])))


def channel_step(base: Architecture) -> int:
    """Return the smallest number of channels that is added to a stage: the divisor; for ghost bottlenecks even."""
    return lcm(base.style.divisor, 2) if base.is_ghostnet else base.style.divisor

"""A network for a budget of multiply-adds: resolution and depth by the tiny formula, width by the counted cost.

By the scaling law (MACs ~ r^2 d w^2) the width would be sqrt(c / (r^2 d)). That exceeds small budgets, because stem and
head do not shrink and widths are rounded. So the width is solved against the exact cost.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import product
from math import hypot, sqrt

from src.design.architecture import Architecture
from src.design.cost import total_cost
from src.design.formula import Estimate, Formula, published_formula
from src.design.scaling import tiny_scale
from src.errors import UserError

# Widths are rounded to multiples, so MACs rise in jumps: up to 12 % for EfficientNet-B0. If no width meets the budget,
# resolution and depth are moved within the formula's error (leave-one-out: 0.02 and 0.08).
BUDGET_TOLERANCE = 0.01  # relative difference of MACs and budget that is accepted
PIXELS = 4  # largest move of the resolution
DEPTH_MOVES = sorted((step / 100 for step in range(-8, 9)), key=abs)

WIDTH_STEPS = 1000  # the width is solved to 1/1000 ...
WIDTHS = range(1, 10 * WIDTH_STEPS + 1)  # ... up to 10


@dataclass(frozen=True)
class Shrunk:
    """A network for a budget, and the numbers that led to it."""

    architecture: Architecture
    budget: float  # multiply-adds
    c: float  # budget / MACs of the base
    r: Estimate  # resolution by the formula; `architecture.resolution` may be moved from it
    d: Estimate  # depth by the formula
    depth: float  # depth of the network, which may be moved from `d` to meet the budget
    w: Estimate  # solved width; its deviation follows from those of r and d at equal MACs

    @property
    def law_width(self) -> float:
        """The width by the scaling law, sqrt(c / (r^2 d)), for comparison."""
        return sqrt(self.c / (self.r.value**2 * self.d.value))


def shrink(
    base: Architecture,
    macs: float,
    formula: Formula | None = None,
    pixels: int = PIXELS,
    name: str = "",
    num_classes: int = 1000,
) -> Shrunk:
    """Return the tiny formula's network of `macs` multiply-adds.

    The network has the formula's resolution and depth if a width meets the budget within 1 %. Otherwise the resolution
    moves by up to `pixels`, and then the depth by up to 0.08. If no network is within 1 %, the nearest one is returned.

    Args:
        base: the network to shrink.
        macs: the budget, at most the base's MACs.
        formula: resolution and depth for a budget; the published formula by default.
        pixels: the largest move of the resolution.
        name: the name of the network; by default it is made from the base's name and the budget.
        num_classes: classes of the classifier, whose MACs count.

    Raises:
        UserError: the budget is above the base's MACs or below what the formula's resolution and depth allow, or
            scikit-learn is not installed.
    """
    base_macs = total_cost(base, num_classes).macs
    if not 0 < macs <= base_macs:
        raise UserError(
            f"macs is {macs / 1e6:g}M; the tiny formula only shrinks and {base.name} has {base_macs / 1e6:.4g}M: "
            "lower macs, or grow the network with --rule giant"
        )
    c = macs / base_macs
    r, d = (formula or published_formula()).at(c)
    widths, step = _closest(base, macs, r.value, d.value, pixels, num_classes)
    if step == WIDTHS[0] and widths.macs(step) > macs * (1 + BUDGET_TOLERANCE):
        raise UserError(
            f"macs is {macs / 1e6:g}M; {base.name} at its narrowest has {widths.macs(step) / 1e6:.4g}M, with "
            f"{widths.resolution} pixels and depth {widths.depth:.3f}; raise the budget or take a smaller base"
        )
    step = widths.middle(step)
    network = widths.network(step, name or f"{base.name}_tiny_{macs / 1e6:.4g}m")
    width, spread = step / WIDTH_STEPS, hypot(r.deviation / r.value, d.deviation / d.value / 2)
    return Shrunk(network, macs, c, r, d, widths.depth, Estimate(width, width * spread))


def solve_width(base: Architecture, depth: float, macs: float, num_classes: int = 1000) -> float:
    """Return the width whose network, at the resolution of `base`, has the MACs nearest to `macs`.

    Args:
        base: the network to scale, already at the wanted resolution.
        depth: factor of its depth, above 0.
        macs: the budget, above 0.
        num_classes: classes of the classifier, whose MACs count.

    Returns:
        A factor from 0.001 to 10: the middle of those that give the same network.
    """
    widths = _Widths(base, base.resolution, depth, num_classes)
    return widths.middle(widths.nearest(macs)) / WIDTH_STEPS


def _closest(base: Architecture, macs: float, r: float, d: float, pixels: int, num_classes: int) -> tuple[_Widths, int]:
    """Return the first resolution and depth near r and d, and the step of the width, that meet the budget.

    If nothing meets the budget within the tolerance, return those with the nearest MACs.
    """
    pixel_moves = sorted(range(-pixels, pixels + 1), key=abs)
    candidates = []
    for depth, move in product(_depths(base, d), pixel_moves):
        widths = _Widths(base, max(1, int(base.resolution * r) + move), depth, num_classes)
        step = widths.nearest(macs)
        miss = abs(widths.macs(step) / macs - 1)
        candidates.append((miss, widths, step))
        if miss <= BUDGET_TOLERANCE:
            break
    _, widths, step = min(candidates, key=lambda candidate: candidate[0])
    return widths, step


@dataclass(frozen=True)
class _Widths:
    """The networks of one resolution and depth. As the width rises, their MACs never fall, but rise in jumps."""

    base: Architecture
    resolution: int
    depth: float
    num_classes: int

    def network(self, step: int, name: str = "") -> Architecture:
        return tiny_scale(self.base.at(self.resolution), 1, step / WIDTH_STEPS, self.depth, name)

    def macs(self, step: int) -> int:
        return total_cost(self.network(step), self.num_classes).macs

    def nearest(self, budget: float) -> int:
        """Return the step of the width whose MACs are nearest to the budget."""
        above = bisect_left(WIDTHS, budget, key=self.macs)
        return min(WIDTHS[max(above - 1, 0) : above + 1], key=lambda step: abs(self.macs(step) - budget))

    def middle(self, step: int) -> int:
        """Return the middle of all steps that give these MACs, and so the same network."""
        macs = self.macs(step)
        first, last = (bisect(WIDTHS, macs, key=self.macs) for bisect in (bisect_left, bisect_right))
        return WIDTHS[(first + last - 1) // 2]


def _depths(base: Architecture, d: float) -> list[float]:
    """Return d and the depths around it, nearest first, without those that give the same repeats as an earlier one."""
    found: dict[tuple[int, ...], float] = {}
    for depth in (d + move for move in DEPTH_MOVES if d + move > 0):
        repeats = tuple(stage.repeats for stage in tiny_scale(base, 1, 1, depth).stages)
        found.setdefault(repeats, depth)
    return list(found.values())

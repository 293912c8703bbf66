"""A network for a budget of multiply-adds: resolution and depth by the tiny formula, width by the counted cost.

By the scaling law (MACs ~ r^2 d w^2) the width would be sqrt(c / (r^2 d)). That overshoots small budgets, as stem and
head do not shrink and widths are rounded: so it is solved.
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

# Widths are rounded to multiples, so that MACs rise in jumps, of EfficientNet-B0's up to 12 %. Where the budget lies in
# one, resolution and depth give way, each by less than the formula is good for (leave-one-out: 0.02 and 0.08).
CLOSE = 0.01  # share of the budget by which it may be missed
PIXELS = 4
DEPTH_MOVES = sorted((step / 100 for step in range(-8, 9)), key=abs)

WIDTH_STEPS = 1000  # the width is solved to a thousandth ...
WIDTHS = range(1, 10 * WIDTH_STEPS + 1)  # ... up to 10


@dataclass(frozen=True)
class Shrunk:
    """A network for a budget, and how it came about.

    `c` is budget / base's MACs; `r` and `d` are the formula's. What the network has, `architecture.resolution` and
    `depth`, may be moved from them to meet the budget. `w` is solved; its deviation is what those of r and d move
    it by at the same MACs.
    """

    architecture: Architecture
    budget: float
    c: float
    r: Estimate
    d: Estimate
    depth: float
    w: Estimate

    @property
    def law_width(self) -> float:
        """The width by the scaling law, sqrt(c / (r^2 d)), to compare with."""
        return sqrt(self.c / (self.r.value**2 * self.d.value))


def shrink(
    base: Architecture, macs: float, formula: Formula | None = None, pixels: int = PIXELS, name: str = ""
) -> Shrunk:
    """The tiny formula's network of `macs` multiply-adds, made from `base`; `formula` defaults to the published one.

    Resolution and depth are the formula's if some width then comes within 1 % of the budget. Else the resolution
    moves by up to `pixels`, and if that is not enough, the depth by up to 0.08; where nothing is within 1 %, the
    nearest is taken.

    Raises:
        UserError: the budget is above the base's MACs or below what the formula's resolution and depth allow, or
            scikit-learn is not installed.
    """
    whole = total_cost(base).macs
    if not 0 < macs <= whole:
        raise UserError(
            f"macs is {macs / 1e6:g}M; the tiny formula shrinks: {base.name} has {whole / 1e6:.4g}M, "
            "--rule giant grows it"
        )
    r, d = (formula or published_formula()).at(macs / whole)
    pixels_moved = sorted(range(-pixels, pixels + 1), key=abs)
    best, least_miss = None, float("inf")
    for depth, moved in product(_depths(base, d.value), pixels_moved):
        widths = _Widths(base, max(1, int(base.resolution * r.value) + moved), depth)
        step = widths.nearest(macs)
        if (miss := abs(widths.macs(step) / macs - 1)) < least_miss:
            best, least_miss = (widths, step), miss
        if miss <= CLOSE:
            break
    widths, step = best
    if step == WIDTHS[0] and widths.macs(step) > macs * (1 + CLOSE):
        raise UserError(
            f"macs is {macs / 1e6:g}M; {base.name} at its narrowest has {widths.macs(step) / 1e6:.4g}M, with "
            f"{widths.resolution} pixels and depth {widths.depth:.3f}; raise the budget or take a smaller base"
        )
    step = widths.middle(step)
    network = widths.network(step, name or f"{base.name}_tiny_{macs / 1e6:.4g}m")
    width, spread = step / WIDTH_STEPS, hypot(r.deviation / r.value, d.deviation / d.value / 2)
    return Shrunk(network, macs, macs / whole, r, d, widths.depth, Estimate(width, width * spread))


@dataclass(frozen=True)
class _Widths:
    """The networks of one resolution and depth. Their MACs never fall as the width rises, but rise in jumps."""

    base: Architecture
    resolution: int
    depth: float

    def network(self, step: int, name: str = "") -> Architecture:
        return tiny_scale(self.base.at(self.resolution), 1, step / WIDTH_STEPS, self.depth, name)

    def macs(self, step: int) -> int:
        return total_cost(self.network(step)).macs

    def nearest(self, budget: float) -> int:
        """The step whose MACs come nearest to the budget."""
        above = bisect_left(WIDTHS, budget, key=self.macs)
        return min(WIDTHS[max(above - 1, 0) : above + 1], key=lambda step: abs(self.macs(step) - budget))

    def middle(self, step: int) -> int:
        """The middle one of the steps that give the same MACs, which is the same network."""
        macs = self.macs(step)
        first, last = (bisect(WIDTHS, macs, key=self.macs) for bisect in (bisect_left, bisect_right))
        return WIDTHS[(first + last - 1) // 2]


def _depths(base: Architecture, formula: float) -> list[float]:
    """The formula's depth and those around it, nearest first, that give other repeats."""
    found: dict[tuple[int, ...], float] = {}
    for depth in (formula + move for move in DEPTH_MOVES if formula + move > 0):
        repeats = tuple(stage.repeats for stage in tiny_scale(base, 1, 1, depth).stages)
        found.setdefault(repeats, depth)
    return list(found.values())

"""Rules that make one architecture from another: the tiny formula, EfficientNet's compound scaling and its inverse.

The rule of the tiny formula (`tiny_scale`) differs from EfficientNet's rule (`giant_scale`) in three ways, as in the
released code of their authors. The tiny rule rounds repeats and does not round them up; it keeps the width of the stem;
and it never makes the head narrower than the base's.

A scaled GhostNet stays in its family. Other networks become TinyNets by the tiny rule and EfficientNets by the others.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from math import ceil, inf, log
from typing import NamedTuple

from src.design.architecture import Architecture, Family, Stage, round_channels
from src.design.cost import total_cost
from src.errors import UserError


class Compound(NamedTuple):
    """The coefficients of compound scaling: phi + 1 multiplies depth, width and resolution by these."""

    alpha: float  # depth
    beta: float  # width
    gamma: float  # resolution

    @property
    def growth(self) -> float:
        """The factor of the MACs for phi + 1 by the paper's approximation, alpha * beta^2 * gamma^2."""
        return self.alpha * self.beta**2 * self.gamma**2


# EfficientNet (ICML 2019), section 3.3: the result of a grid search on B0 with growth near 2.
EFFICIENTNET_COMPOUND = Compound(alpha=1.2, beta=1.1, gamma=1.15)

PHI_STEPS = 100  # phi is solved to 1/100 ...
PHI_LIMIT = 20  # ... between -20 and 20
MORE_STEPS = 4  # factor of phi if networks shrink: stem and head do not, and half a block is a whole one
WIDTH_STEPS = 1000  # a width that is solved for a budget is found to 1/1000 of the base's
PIXEL_MOVES = sorted(range(-4, 5), key=abs)  # of a resolution, as in `shrink`


def tiny_scale(base: Architecture, resolution: float, width: float, depth: float, name: str = "") -> Architecture:
    """Scale `base` by the rule of the tiny formula. Each coefficient is a factor above 0 of the base's value.

    The resolution is truncated to whole pixels, as in the authors' code: 0.86 x 224 = 192.64 gives 192.

    Raises:
        UserError: a coefficient is not positive.
    """
    _check_factors("tiny", resolution=resolution, width=width, depth=depth)
    return replace(
        base,
        name=name or f"tinynet(r={resolution:g}, w={width:g}, d={depth:g})",
        family=_scaled_family(base, "tinynet"),
        resolution=int(base.resolution * resolution),
        stages=_scaled_stages(base, width, depth, round),
        head=max(base.head, _scaled_channels(base, base.head, width)),
        head_conv=_scaled_channels(base, base.head_conv, width),
    )


def giant_scale(base: Architecture, resolution: float, width: float, depth: float, name: str = "") -> Architecture:
    """Scale `base` by EfficientNet's rule. Each coefficient is a factor above 0 of the base's value.

    Stem and head are scaled too, and repeats are rounded up.

    Raises:
        UserError: a coefficient is not positive.
    """
    _check_factors("giant", resolution=resolution, width=width, depth=depth)
    return replace(
        base,
        name=name or f"giant(r={resolution:g}, w={width:g}, d={depth:g})",
        family=_scaled_family(base, "efficientnet"),
        resolution=int(base.resolution * resolution),
        stem=_scaled_channels(base, base.stem, width),
        stages=_scaled_stages(base, width, depth, ceil),
        head=_scaled_channels(base, base.head, width),
        head_conv=_scaled_channels(base, base.head_conv, width),
    )


def compound_scale(
    base: Architecture, phi: float, coefficients: Compound = EFFICIENTNET_COMPOUND, name: str = ""
) -> Architecture:
    """Scale depth by alpha^phi, width by beta^phi and resolution by gamma^phi: the giant formula.

    A phi below 0 is the inverse giant formula. It rounds by the tiny rule, for two reasons: 2 blocks rounded up would
    never become 1, and TinyNets and inverse giants should differ in their coefficients only, not in their heads.
    """
    scale = giant_scale if phi > 0 else tiny_scale
    factors = (coefficients.gamma**phi, coefficients.beta**phi, coefficients.alpha**phi)
    scaled = scale(base, *factors, name=name or f"compound(phi={phi:g})")
    return replace(scaled, family=_scaled_family(base, "efficientnet"))


def phi_for_macs(
    base: Architecture, macs: float, coefficients: Compound = EFFICIENTNET_COMPOUND, num_classes: int = 1000
) -> float:
    """Return the phi, to 1/100, whose `compound_scale` has the MACs nearest to `macs`.

    If several values of phi give these MACs, it returns the greatest.

    Raises:
        UserError: no phi between -20 and 20 reaches that number.
    """

    def macs_at(step: int) -> int:
        return total_cost(compound_scale(base, step / PHI_STEPS, coefficients), num_classes).macs

    steps = range(-PHI_LIMIT * PHI_STEPS, PHI_LIMIT * PHI_STEPS + 1)
    smallest, largest = macs_at(steps[0]), macs_at(steps[-1])
    if not smallest <= macs <= largest:
        raise UserError(f"macs is {macs:g}; compound scaling of {base.name} reaches {smallest:.3g} to {largest:.3g}")
    above = bisect_left(steps, macs, key=macs_at)  # MACs never fall as phi rises, but rise in jumps
    neighbors = map(macs_at, steps[max(above - 1, 0) : above + 1])
    nearest = min(neighbors, key=lambda found: abs(found - macs))
    return steps[bisect_right(steps, nearest, key=macs_at) - 1] / PHI_STEPS


def compound_for_macs(
    base: Architecture,
    macs: float,
    coefficients: Compound = EFFICIENTNET_COMPOUND,
    num_classes: int = 1000,
    tolerance: float = 0.02,
) -> Architecture:
    """Return the network of about `macs` multiply-adds that compound scaling, or its inverse, makes of `base`.

    With small inputs one more pixel can make 60 % more MACs. If no phi meets the budget within the tolerance, the
    network has the resolution and the depth of a phi near it, and its width is solved. If that does not help either,
    the resolution moves by up to 4 pixels. Coefficients that keep the width (beta = 1) give the nearest network.
    """

    def miss(network: Architecture) -> float:
        return abs(total_cost(network, num_classes).macs / macs - 1)

    def at_phi(step: int) -> Architecture:
        return compound_scale(base, step / PHI_STEPS, coefficients)

    growth = macs / total_cost(base, num_classes).macs
    steps = PHI_STEPS * (2 + ceil(abs(log(growth, coefficients.growth))))  # more than the paper's approximation needs
    phis = range(steps) if growth > 1 else range(-MORE_STEPS * steps, 1)
    above = bisect_right(phis, macs, key=lambda step: total_cost(at_phi(step), num_classes).macs)
    best = min(map(at_phi, phis[max(0, above - 1) : above + 1]), key=miss)
    if coefficients.beta == 1:
        return best
    near = [step for step in phis if abs(step - phis[0] - above) <= PHI_STEPS]
    tried = set()
    for move, step in product(PIXEL_MOVES, sorted(near, key=lambda step: abs(step - phis[0] - above))):
        if miss(best) <= tolerance:
            break
        network = at_phi(step)
        shape = network.resolution + move, tuple(stage.repeats for stage in network.stages)
        if shape not in tried:
            tried.add(shape)
            best = min(best, _with_width(base, coefficients, step / PHI_STEPS, shape[0], macs, num_classes), key=miss)
    return best


def _with_width(
    base: Architecture, coefficients: Compound, phi: float, pixels: int, macs: float, num_classes: int
) -> Architecture:
    """Return the network with the depth of a phi and a resolution in pixels whose width meets the MACs best.

    An enlarged network is in no dimension smaller than its base, and a shrunk one in none larger.
    """
    enlarges = macs > total_cost(base, num_classes).macs
    pixels = max(pixels, base.resolution) if enlarges else min(max(pixels, 1), base.resolution)
    depth = coefficients.alpha**phi
    scale = giant_scale if enlarges else tiny_scale  # as in `compound_scale`

    def at_width(step: int) -> Architecture:
        scaled = scale(base, 1, step / WIDTH_STEPS, depth, f"compound(phi={phi:g})").at(pixels)
        return replace(scaled, family=_scaled_family(base, "efficientnet"))

    def macs_at(step: int) -> int:
        return total_cost(at_width(step), num_classes).macs

    widths = range(WIDTH_STEPS, 10 * WIDTH_STEPS) if enlarges else range(1, WIDTH_STEPS + 1)
    above = bisect_left(widths, macs, key=macs_at)
    return at_width(min(widths[max(above - 1, 0) : above + 1], key=lambda step: abs(macs_at(step) - macs)))


def compound_grid(step: float = 0.05, growth: float = 2.0, tolerance: float = 0.1) -> list[Compound]:
    """Return all coefficients of at least 1, `step` apart, with |alpha * beta^2 * gamma^2 - growth| <= tolerance.

    The constraint and the bounds are EfficientNet's (equation 3). Step and tolerance are our choice, so that the
    published coefficients (growth 1.92) are in the grid.

    Raises:
        UserError: the step is not positive.
    """
    if not step > 0:
        raise UserError(f"step is {step}; the grid needs a step above 0, such as 0.05")
    values = [round(1 + index * step, 9) for index in range(int((growth + tolerance - 1) / step) + 1)]
    candidates = (Compound(*numbers) for numbers in product(values, repeat=3))
    return [candidate for candidate in candidates if abs(candidate.growth - growth) <= tolerance]


def _scaled_family(base: Architecture, family: Family) -> Family:
    return base.family if base.is_ghostnet else family


def _scaled_stages(base: Architecture, width: float, depth: float, whole: Callable[[float], int]) -> tuple[Stage, ...]:
    return tuple(
        replace(
            stage, channels=_scaled_channels(base, stage.channels, width), repeats=max(1, whole(stage.repeats * depth))
        )
        for stage in base.stages
    )


def _scaled_channels(base: Architecture, channels: int, width: float) -> int:
    return round_channels(channels * width, base.style.divisor) if channels else 0


def _check_factors(formula: str, **factors: float) -> None:
    for key, value in factors.items():
        if not 0 < value < inf:
            raise UserError(f"{key} is {value}; the {formula} formula needs a factor above 0, such as 0.5")

"""Rules that turn one architecture into another: the tiny formula, EfficientNet's compound scaling and its inverse.

The tiny formula's rule (`tiny_scale`) differs from EfficientNet's growing rule (`giant_scale`) in three ways, checked
against the authors' released code: repeats are rounded and not rounded up, the stem keeps its width, and the head
never becomes narrower than the base's.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from math import ceil, inf
from typing import NamedTuple

from src.design.architecture import Architecture, Stage, round_channels
from src.design.cost import total_cost
from src.errors import UserError


class Compound(NamedTuple):
    """EfficientNet's coefficients: one more unit of phi multiplies depth, width and resolution by these."""

    alpha: float  # depth
    beta: float  # width
    gamma: float  # resolution

    @property
    def growth(self) -> float:
        """Factor of the MACs per unit of phi, as the paper reckons it: alpha * beta^2 * gamma^2."""
        return self.alpha * self.beta**2 * self.gamma**2


# EfficientNet (ICML 2019), section 3.3: found by grid search on B0 under growth ~ 2.
EFFICIENTNET_COMPOUND = Compound(alpha=1.2, beta=1.1, gamma=1.15)

PHI_STEPS = 100  # phi is solved to a hundredth ...
PHI_LIMIT = 20  # ... between -20 and 20


def tiny_scale(base: Architecture, resolution: float, width: float, depth: float, name: str = "") -> Architecture:
    """Shrink `base` by the TinyNet coefficients, each a factor > 0 (1 keeps what the base has).

    The resolution is cut down to whole pixels, not rounded: 0.86 x 224 gives 192.

    Raises:
        UserError: a coefficient is not positive.
    """
    _check_factors("tiny", resolution=resolution, width=width, depth=depth)
    return replace(
        base,
        name=name or f"tinynet(r={resolution:g}, w={width:g}, d={depth:g})",
        resolution=int(base.resolution * resolution),
        stages=_scaled_stages(base, width, depth, round),
        head=max(base.head, _wider(base, base.head, width)),
        head_conv=_wider(base, base.head_conv, width),
    )


def giant_scale(base: Architecture, resolution: float, width: float, depth: float, name: str = "") -> Architecture:
    """Grow `base` by EfficientNet's rule, each coefficient a factor > 0: all widths, stem and head too; repeats up.

    Raises:
        UserError: a coefficient is not positive.
    """
    _check_factors("giant", resolution=resolution, width=width, depth=depth)
    return replace(
        base,
        name=name or f"giant(r={resolution:g}, w={width:g}, d={depth:g})",
        resolution=int(base.resolution * resolution),
        stem=_wider(base, base.stem, width),
        stages=_scaled_stages(base, width, depth, ceil),
        head=_wider(base, base.head, width),
        head_conv=_wider(base, base.head_conv, width),
    )


def compound_scale(
    base: Architecture, phi: float, coefficients: Compound = EFFICIENTNET_COMPOUND, name: str = ""
) -> Architecture:
    """The giant formula: depth alpha^phi, width beta^phi, resolution gamma^phi times the base's.

    A phi below 0 is the inverse giant formula. It rounds as `tiny_scale` does: rounded up, 2 blocks would never
    become 1, and a narrower head would make the comparison with TinyNets one of two differences.
    """
    scale = giant_scale if phi > 0 else tiny_scale
    factors = (coefficients.gamma**phi, coefficients.beta**phi, coefficients.alpha**phi)
    return scale(base, *factors, name=name or f"compound(phi={phi:g})")


def phi_for_macs(base: Architecture, macs: float, coefficients: Compound = EFFICIENTNET_COMPOUND) -> float:
    """The phi, to a hundredth, whose `compound_scale` comes nearest to `macs` multiply-adds.

    Where several give these same MACs it is the greatest.

    Raises:
        UserError: no phi between -20 and 20 reaches that number.
    """

    def macs_at(step: int) -> int:
        return total_cost(compound_scale(base, step / PHI_STEPS, coefficients)).macs

    least, most = -PHI_LIMIT * PHI_STEPS, PHI_LIMIT * PHI_STEPS
    if not macs_at(least) <= macs <= macs_at(most):
        raise UserError(
            f"macs is {macs:g}; compound scaling of {base.name} reaches {macs_at(least):.3g} to {macs_at(most):.3g}"
        )
    steps = range(least, most + 1)
    above = bisect_left(steps, macs, key=macs_at)  # MACs never fall as phi rises, but rise in jumps
    around = map(macs_at, steps[max(above - 1, 0) : above + 1])
    nearest = min(around, key=lambda found: abs(found - macs))
    return steps[bisect_right(steps, nearest, key=macs_at) - 1] / PHI_STEPS


def compound_grid(step: float = 0.05, growth: float = 2.0, tolerance: float = 0.1) -> list[Compound]:
    """All coefficients of at least 1, `step` apart, with |alpha * beta^2 * gamma^2 - growth| <= tolerance.

    The constraint and the bounds are EfficientNet's (equation 3); step and tolerance are ours, such that the
    published coefficients (growth 1.92) are among the candidates.

    Raises:
        UserError: the step is not positive.
    """
    if not step > 0:
        raise UserError(f"step is {step}; the grid needs one above 0, such as 0.05")
    values = [round(1 + index * step, 9) for index in range(int((growth + tolerance - 1) / step) + 1)]
    candidates = (Compound(*numbers) for numbers in product(values, repeat=3))
    return [candidate for candidate in candidates if abs(candidate.growth - growth) <= tolerance]


def search_compound(
    base: Architecture, score: Callable[[Architecture], float], candidates: list[Compound] | None = None
) -> Compound:
    """The coefficients whose network at phi = 1 has the greatest score: EfficientNet's first step (section 3.3).

    `score` is what the user cares for, such as the top-1 after a short training; candidates default to
    `compound_grid()`, the first of equals wins.
    """
    return max(candidates or compound_grid(), key=lambda candidate: score(compound_scale(base, 1, candidate)))


def _scaled_stages(base: Architecture, width: float, depth: float, whole: Callable[[float], int]) -> tuple[Stage, ...]:
    return tuple(
        replace(stage, channels=_wider(base, stage.channels, width), repeats=max(1, whole(stage.repeats * depth)))
        for stage in base.stages
    )


def _wider(base: Architecture, channels: int, width: float) -> int:
    return round_channels(channels * width, base.style.divisor) if channels else 0


def _check_factors(formula: str, **factors: float) -> None:
    for key, value in factors.items():
        if not 0 < value < inf:
            raise UserError(f"{key} is {value}; the {formula} formula needs a factor above 0, such as 0.5")

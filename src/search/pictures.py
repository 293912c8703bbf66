"""Pictures of the tiny formula, of families of networks and of one network's stages."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from src.design.architecture import Architecture
from src.design.cost import cost_table, total_cost
from src.design.families import ARCHITECTURES, EFFICIENTNETS, INVERSE_GIANTS, TINYNET_COEFFICIENTS, TINYNETS
from src.design.formula import Formula, predict_log
from src.design.ghostnet import GHOSTNETS
from src.design.points import published_points
from src.design.shrink import Shrunk, shrink
from src.errors import UserError
from src.runtime.files import atomic_write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

BUDGETS = np.geomspace(0.03, 1, 121)  # c of the curves; every third one is solved for its width
BAND = 2  # standard deviations


class Family(NamedTuple):
    """Networks drawn in one colour, and how far from their points (right, up) their names stand, in points."""

    colour: str
    shift: tuple[int, int]


FAMILIES = {
    "TinyNet":              Family("tab:blue",   (-5, 3)),
    "EfficientNet":         Family("tab:orange", (5, -3)),
    "EfficientNet, shrunk": Family("tab:green",  (5, -3)),
    "GhostNet":             Family("tab:red",    (-5, 3)),
    "S-GhostNet":           Family("tab:purple", (-5, 12)),
    "other":                Family("black",      (5, 3)),
}  # fmt: skip


def draw_formula(formula: Formula, shrunk: Shrunk, base: Architecture, path: Path) -> None:
    """r, d and w over c: the formula with a band of two standard deviations, its points, and one network made by it.

    The width is drawn by the scaling law, with the band, and as it is solved on the cost of `base`. The points of w
    are those of the published TinyNets, and are there if the formula was fitted on these.

    Raises:
        UserError: matplotlib is not installed, or the file cannot be written.
    """
    figure = _figure(13, 4.2)
    left, middle, right = figure.subplots(1, 3)
    (r, r_spread), (d, d_spread) = (predict_log(process, BUDGETS) for process in (formula.log_r, formula.log_d))
    _draw_curve(left, r, r_spread, "formula")
    _draw_curve(middle, d, d_spread, "formula")
    _draw_curve(right, (np.log(BUDGETS) - 2 * r - d) / 2, np.hypot(r_spread, d_spread / 2), "scaling law")
    right.plot(*_solved_widths(base, formula), ".", color="tab:gray", ms=4, label="solved on the cost")
    published = formula.points == published_points()
    widths = [*(w for _, w, _ in TINYNET_COEFFICIENTS.values()), 1] if published else []
    budgets, *factors = zip(*((point.c, point.r, point.d) for point in formula.points))
    for axes, title, points, chosen in (
        (left, "resolution r", factors[0], shrunk.r),
        (middle, "depth d", factors[1], shrunk.d),
        (right, "width w", widths, shrunk.w),
    ):
        if points:
            axes.plot(budgets, points, "o", color="black", ms=5, label="published" if published else "points")
        ring = {"mfc": "none", "color": "tab:red", "ms": 11, "mew": 2}
        axes.plot(shrunk.c, chosen.value, "o", label=_text(shrunk.architecture.name), **ring)
        axes.set(title=title, xlabel=f"c, share of the MACs of {_text(base.name)}", xscale="log")
        _log_scale(axes.xaxis, (1, 3))
        axes.legend(fontsize="small")
    _save(figure, path)


def draw_families(networks: Sequence[Architecture], path: Path) -> None:
    """Parameters and resolution over MACs, a colour for each family.

    Raises:
        UserError: as for `draw_formula`.
    """
    figure = _figure(13, 7.5)
    left, right = figure.subplots(1, 2)
    for family, (colour, shift) in FAMILIES.items():
        members = [network for network in networks if _family(network.name) == family]
        costs = [total_cost(network) for network in members]
        macs = [cost.macs / 1e6 for cost in costs]
        heights = [cost.parameters / 1e6 for cost in costs], [network.resolution for network in members]
        for axes, values in zip((left, right), heights):
            if members:
                axes.plot(macs, values, "o-", color=colour, ms=5, lw=1, label=family)
            for network, *point in zip(members, macs, values):
                axes.annotate(
                    *(_short(network.name), point, shift), textcoords="offset points", color=colour, fontsize=7.5,
                    ha="left" if shift[0] > 0 else "right", va="bottom" if shift[1] > 0 else "top",
                )  # fmt: skip
    left.set(ylabel="M parameters")
    right.set(ylabel="resolution, pixels")
    for axes in (left, right):
        axes.set(xlabel="M MACs an image", xscale="log", yscale="log")
        axes.margins(0.08)
        _log_scale(axes.xaxis, (1, 3))
    _log_scale(left.yaxis, (1, 2, 5))
    _log_scale(right.yaxis, (1, 1.5, 2, 3, 4, 6))
    left.legend(fontsize="small")
    _save(figure, path)


def draw_stages(network: Architecture, path: Path) -> None:
    """Where one network's MACs and parameters are.

    Raises:
        UserError: as for `draw_formula`.
    """
    rows = cost_table(network)
    figure = _figure(11, 0.35 * len(rows) + 1.4)
    labels = [f"{row.name}  ({row.channels} x {row.size} x {row.size})" for row in rows]
    panels = (("M MACs", "macs", "tab:blue"), ("M parameters", "parameters", "tab:orange"))
    for axes, (title, key, colour) in zip(figure.subplots(1, 2, sharey=True), panels):
        values = np.array([getattr(row.cost, key) for row in rows]) / 1e6
        bars = axes.barh(labels, values, color=colour)
        axes.bar_label(bars, [f"{value:.3g} ({value / values.sum():.0%})" for value in values], padding=3, fontsize=8)
        axes.set(title=f"{title}: {values.sum():,.2f}")
        axes.margins(x=0.25)
    figure.axes[0].invert_yaxis()
    figure.suptitle(f"{_text(network.name)}, {network.resolution} x {network.resolution}")
    _save(figure, path)


def _draw_curve(axes: Axes, mean: np.ndarray, spread: np.ndarray, label: str) -> None:
    """exp(mean) over the budgets, with its band; both are of logarithms."""
    low, high = np.exp(mean - BAND * spread), np.exp(mean + BAND * spread)
    axes.fill_between(BUDGETS, low, high, color="tab:blue", alpha=0.25, lw=0, label=f"\u00b1 {BAND} deviations")
    axes.plot(BUDGETS, np.exp(mean), color="tab:blue", label=label)


def _solved_widths(base: Architecture, formula: Formula) -> tuple[list[float], list[float]]:
    """Budgets and the width that meets each; those that `base` cannot be shrunk to are left out."""
    whole, budgets, widths = total_cost(base).macs, [], []
    for c in BUDGETS[::3]:
        with contextlib.suppress(UserError):
            widths.append(shrink(base, c * whole, formula).w.value)
            budgets.append(c)
    return budgets, widths


def _family(name: str) -> str:
    known = {"TinyNet": TINYNETS, "EfficientNet": EFFICIENTNETS, "EfficientNet, shrunk": INVERSE_GIANTS}
    if name in GHOSTNETS:
        return "S-GhostNet" if name.startswith("s_") else "GhostNet"
    return next((family for family, members in known.items() if name in members), "other")


def _short(name: str) -> str:
    """A published network's name without its family's; `b_minus_1` is written as the paper does."""
    for family in ("efficientnet_", "tinynet_", "s_ghostnet_", "ghostnet_"):
        if name in ARCHITECTURES:
            name = name.removeprefix(family)
    return _text(name.replace("b_minus_", "b^-"))


def _text(name: str) -> str:
    """A name as it is: between two dollar signs matplotlib would read a formula."""
    return name.replace("$", r"\$")


def _log_scale(axis: Axis, ticks: Sequence[float]) -> None:
    """A logarithmic axis with a tick at these multiples of each power of ten, written as plain numbers."""
    from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

    axis.set_major_locator(LogLocator(subs=ticks, numticks=99))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(StrMethodFormatter("{x:,g}"))


def _figure(width: float, height: float) -> Figure:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise UserError("--plot needs matplotlib; `pip install '.[search]'`") from None
    return Figure(figsize=(width, height), layout="constrained")


def _save(figure: Figure, path: Path) -> None:
    for axes in figure.axes:
        axes.grid(alpha=0.3)
        axes.set_axisbelow(True)
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=110)

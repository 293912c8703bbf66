"""Pictures of the tiny formula, of families of networks and of the stages of one network."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from src.design.architecture import Architecture, Family
from src.design.cost import Cost, cost_table, total_cost
from src.design.families import ARCHITECTURES, INVERSE_GIANTS, TINYNET_COEFFICIENTS
from src.design.formula import Formula, predict_log
from src.design.points import published_points
from src.design.shrink import Shrunk, shrink
from src.errors import UserError
from src.runtime.figures import literal, new_figure, write_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

BUDGETS = np.geomspace(0.03, 1, 121)  # c of the curves; the width is solved for every third budget
BAND_DEVIATIONS = 2  # half the width of the band around a curve, in standard deviations


class Series(NamedTuple):
    """Networks that are drawn as one line."""

    label: str
    color: str
    shift: tuple[int, int]  # of the names from their points: right and up, in points of 1/72 inch


SERIES: dict[Family, Series] = {
    "tinynet":      Series("TinyNet",      "tab:blue",   (-5, 3)),
    "efficientnet": Series("EfficientNet", "tab:orange", (5, -3)),
    "ghostnet":     Series("GhostNet",     "tab:red",    (-5, 3)),
    "s_ghostnet":   Series("S-GhostNet",   "tab:purple", (-5, 12)),
}  # fmt: skip
INVERSE_GIANT_SERIES = Series("EfficientNet, shrunk", "tab:green", (5, -3))
UNPUBLISHED_SERIES = Series("other", "black", (5, 3))


def draw_formula(formula: Formula, shrunk: Shrunk, base: Architecture, path: Path, num_classes: int = 1000) -> None:
    """Draw r, d and w over c: the formula with a band of two standard deviations, its points, and one network.

    The width is drawn twice: by the scaling law, with a band, and solved on the cost of `base`. The points of w are the
    published TinyNets; they are drawn only if the formula was fitted on these.

    Args:
        formula: the curves.
        shrunk: the network to mark.
        base: the network that the formula shrinks.
        path: the picture to write.
        num_classes: classes of the classifier, whose MACs count.

    Raises:
        UserError: matplotlib is not installed, or the file cannot be written.
    """
    figure = _figure(13, 4.2)
    left, middle, right = figure.subplots(1, 3)
    (r, r_spread), (d, d_spread) = (predict_log(process, BUDGETS) for process in (formula.log_r, formula.log_d))
    _draw_curve(left, r, r_spread, "formula")
    _draw_curve(middle, d, d_spread, "formula")
    _draw_curve(right, (np.log(BUDGETS) - 2 * r - d) / 2, np.hypot(r_spread, d_spread / 2), "scaling law")
    right.plot(*_solved_widths(base, formula, num_classes), ".", color="tab:gray", ms=4, label="solved on the cost")
    published = formula.points == published_points()
    budgets = [point.c for point in formula.points]
    resolutions, depths = [point.r for point in formula.points], [point.d for point in formula.points]
    widths = [*(factors.width for factors in TINYNET_COEFFICIENTS.values()), 1.0] if published else []
    for axes, title, values, chosen in (
        (left, "resolution r", resolutions, shrunk.r),
        (middle, "depth d", depths, shrunk.d),
        (right, "width w", widths, shrunk.w),
    ):
        if values:
            axes.plot(budgets, values, "o", color="black", ms=5, label="published" if published else "points")
        ring = {"mfc": "none", "color": "tab:red", "ms": 11, "mew": 2}
        axes.plot(shrunk.c, chosen.value, "o", label=literal(shrunk.architecture.name), **ring)
        axes.set(title=title, xlabel=f"c, share of the MACs of {literal(base.name)}", xscale="log")
        _log_scale(axes.xaxis, (1, 3))
        axes.legend(fontsize="small")
    _save(figure, path)


def draw_families(networks: Sequence[Architecture], path: Path) -> None:
    """Draw parameters and resolution over MACs, with a color for each family.

    Networks that differ in nothing that is drawn, such as the tf_ networks, are one point.

    Raises:
        UserError: as for `draw_formula`.
    """
    figure = _figure(13, 7.5)
    left, right = figure.subplots(1, 2)
    for series in (*SERIES.values(), INVERSE_GIANT_SERIES, UNPUBLISHED_SERIES):
        members = [network for network in _distinct(networks) if _series(network) == series]
        if members:
            _draw_series(left, series, members, [total_cost(network).parameters / 1e6 for network in members])
            _draw_series(right, series, members, [network.resolution for network in members])
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
    """Draw the MACs and the parameters of each part of one network as bars.

    Raises:
        UserError: as for `draw_formula`.
    """
    rows = cost_table(network)
    figure = _figure(11, 0.35 * len(rows) + 1.4)
    labels = [f"{row.name}  ({row.channels} x {row.size} x {row.size})" for row in rows]
    panels = (("M MACs", "macs", "tab:blue"), ("M parameters", "parameters", "tab:orange"))
    for axes, (title, key, color) in zip(figure.subplots(1, 2, sharey=True), panels):
        values = np.array([getattr(row.cost, key) for row in rows]) / 1e6
        bars = axes.barh(labels, values, color=color)
        axes.bar_label(bars, [f"{value:.3g} ({value / values.sum():.0%})" for value in values], padding=3, fontsize=8)
        axes.set(title=f"{title}: {values.sum():,.2f}")
        axes.margins(x=0.25)
    figure.axes[0].invert_yaxis()
    figure.suptitle(f"{literal(network.name)}, {network.resolution} x {network.resolution}")
    _save(figure, path)


def _distinct(networks: Sequence[Architecture]) -> list[Architecture]:
    """Return the first network of each cost and resolution."""
    first: dict[tuple[Cost, int], Architecture] = {}
    for network in networks:
        first.setdefault((total_cost(network), network.resolution), network)
    return list(first.values())


def _draw_curve(axes: Axes, mean: np.ndarray, spread: np.ndarray, label: str) -> None:
    """Draw exp(mean) over the budgets, with a band. Mean and spread are those of logarithms."""
    low, high = np.exp(mean - BAND_DEVIATIONS * spread), np.exp(mean + BAND_DEVIATIONS * spread)
    band = f"\u00b1 {BAND_DEVIATIONS} deviations"
    axes.fill_between(BUDGETS, low, high, color="tab:blue", alpha=0.25, lw=0, label=band)
    axes.plot(BUDGETS, np.exp(mean), color="tab:blue", label=label)


def _draw_series(axes: Axes, series: Series, networks: Sequence[Architecture], values: Sequence[float]) -> None:
    """Draw one value for each network over its MACs, with the networks' names."""
    macs = [total_cost(network).macs / 1e6 for network in networks]
    axes.plot(macs, values, "o-", color=series.color, ms=5, lw=1, label=series.label)
    right, up = series.shift
    for network, x, y in zip(networks, macs, values):
        axes.annotate(
            *(_short(network.name), (x, y), series.shift), textcoords="offset points", color=series.color,
            ha="left" if right > 0 else "right", va="bottom" if up > 0 else "top", fontsize=7.5,
        )  # fmt: skip


def _solved_widths(base: Architecture, formula: Formula, num_classes: int) -> tuple[list[float], list[float]]:
    """Return budgets and the width that meets each, without the budgets that `base` cannot be shrunk to."""
    base_macs, budgets, widths = total_cost(base, num_classes).macs, [], []
    for c in BUDGETS[::3]:
        with contextlib.suppress(UserError):
            widths.append(shrink(base, c * base_macs, formula, num_classes=num_classes).w.value)
            budgets.append(c)
    return budgets, widths


def _series(network: Architecture) -> Series:
    """Return the series of a network. Unpublished networks are not joined to the line of their family."""
    if network.name not in ARCHITECTURES:
        return UNPUBLISHED_SERIES
    return INVERSE_GIANT_SERIES if network.name in INVERSE_GIANTS else SERIES[network.family]


def _short(name: str) -> str:
    """Return a published network's name without its family. `b_minus_1` is written `b^-1` as in the paper."""
    if name in ARCHITECTURES:
        name = name.removeprefix(f"{ARCHITECTURES[name].family}_")
    return literal(name.replace("b_minus_", "b^-"))


def _log_scale(axis: Axis, ticks: Sequence[float]) -> None:
    """Give a logarithmic axis ticks at these multiples of each power of ten, written as plain numbers."""
    from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

    axis.set_major_locator(LogLocator(subs=ticks, numticks=99))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(StrMethodFormatter("{x:,g}"))


def _figure(width: float, height: float) -> Figure:
    return new_figure(width, height, "--plot")


def _save(figure: Figure, path: Path) -> None:
    for axes in figure.axes:
        axes.grid(alpha=0.3)
        axes.set_axisbelow(True)
    write_figure(figure, path, dpi=110)

"""The pictures of a twist study: accuracy over r, d and w, accuracy over MACs, the fitted formula, and the EDF."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np

from src.design.formula import Formula, predict_log, published_formula
from src.search.analysis.edf import GoodRange, error_distribution
from src.search.analysis.networks import Network
from src.search.report.style import (
    ACCURACY,
    BLACK,
    BLUE,
    DOT,
    GREEN,
    MACS,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    STAR,
    cloud,
    log_macs,
    number,
    panels,
    share_legend,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FACTORS = {"r": "resolution r", "d": "depth d", "w": "width w"}
RULES = {"inverse giant": GREEN, "published formula": ORANGE, "new formula": RED}
BAND_DEVIATIONS = 2  # half the width of the band around a curve, in standard deviations


def draw_one_budget(
    networks: Sequence[Network], giant: Network | None, ranges: Mapping[str, GoodRange | None], spread: float
) -> Figure:
    """Draw accuracy over r, d and w of networks of one budget.

    Args:
        networks: the networks of random r and d.
        giant: the inverse giant network of the same budget, which is marked.
        ranges: of each factor in good networks, by its name; they are shaded.
        spread: standard deviation over seeds in percentage points, a band around the inverse giant; nan: not known.
    """
    figure, axes = panels(12, 4.2, 3, sharey=True)
    for panel, (factor, label) in zip(axes, FACTORS.items()):
        if found := ranges.get(factor):
            panel.axvspan(found.low, found.high, color=SKY, alpha=0.18, lw=0, label="95 % range of good networks")
            panel.axvline(found.median, color=SKY, lw=1.5, label="its median")
        _draw_networks(panel, networks, factor, color=BLUE, label="r and d at random")
        if giant and not isnan(giant.top1):
            panel.axhline(giant.top1, color=GREEN, lw=1, ls="--")
            if not isnan(spread):
                low, high = giant.top1 - spread, giant.top1 + spread
                panel.axhspan(low, high, color=GREEN, alpha=0.15, lw=0, label="\u00b1 1 deviation over seeds")
            panel.plot(number(giant, factor), giant.top1, color=GREEN, label="inverse giant", **STAR)
        panel.set(xlabel=f"{label}, factor of the base's")
    axes[0].set(ylabel=ACCURACY)
    share_legend(figure, columns=5)
    return figure


def draw_front(
    networks: Sequence[Network], ranks: np.ndarray, selected: Sequence[Network], finals: Mapping[str, Sequence[Network]]
) -> Figure:
    """Draw accuracy over MACs.

    Args:
        networks: those of random r, d and w.
        ranks: the number of each one's front, (N,).
        selected: those that NSGA-III selected.
        finals: the networks of each rule in the final comparison; bars are one standard deviation over their seeds.
    """
    figure, (panel,) = panels(9, 5.6)
    _draw_networks(panel, networks, None, **cloud(len(networks)), label="r, d and w at random")
    front = [network for network, rank in zip(networks, ranks) if rank == 0]
    if front:
        macs, top1 = zip(*sorted((network.macs / 1e6, network.top1) for network in front))
        panel.step(macs, top1, where="post", color=BLUE, lw=1.5, label="Pareto front")
    on_front = {network.number for network in front}
    first = [network for network in selected if network.number in on_front]
    others = [network for network in selected if network.number not in on_front]
    _draw_networks(panel, first, None, color=BLUE, ms=7, label="selected by NSGA-III")
    if others:
        _draw_networks(panel, others, None, color="white", mec=BLUE, mew=1.5, label="selected from further fronts")
    for rule, members in finals.items():
        _draw_rule(panel, rule, members)
    everything = [*networks, *(network for members in finals.values() for network in members)]
    log_macs(panel, [network.macs / 1e6 for network in everything])
    panel.set(xlabel=MACS, ylabel=ACCURACY)
    share_legend(figure, columns=3)
    return figure


def draw_found_formula(
    networks: Sequence[Network],
    selected: Sequence[Network],
    formula: Formula | None,
    budgets: tuple[float, float],
    solved: Mapping[float, float],
) -> Figure:
    """Draw r, d and w over c: all networks, the selected ones, and the curves of the found and published formulas.

    Args:
        networks: those of random r, d and w.
        selected: those that the formula is fitted on.
        formula: the found formula, whose band has two standard deviations; None if it could not be fitted.
        budgets: the smallest and the largest c to draw.
        solved: the widths with which the found formula meets budgets c on the counted cost, by c.
    """
    figure, axes = panels(12, 4.4, 3)
    for panel, (factor, label) in zip(axes, FACTORS.items()):
        for members, marks in (
            (networks, cloud(len(networks)) | {"alpha": 0.5}),
            (selected, DOT | {"color": BLACK, "ms": 6}),
        ):
            known = [network for network in members if not isnan(network.top1)]
            x, y = [number(network, "c") for network in known], [number(network, factor) for network in known]
            name = "selected by NSGA-III" if members is selected else "r, d and w at random"
            panel.plot(x, y, label=name, **marks)
        _draw_curve(panel, published_formula(), factor, budgets, ORANGE, "published formula", band=False)
        if formula:
            _draw_curve(panel, formula, factor, budgets, RED, "new formula", band=True)
        if factor == "w" and solved:
            panel.plot(list(solved), list(solved.values()), "D", color=RED, ms=4.5, label="w solved on the cost")
        log_macs(panel, budgets)
        highest = max([number(network, factor) for network in networks], default=1.0)
        panel.set(title=label, xlabel="c, share of the base's MACs", ylim=(0, 1.25 * highest))
    axes[0].set(ylabel="factor of the base's")
    share_legend(figure, columns=5)
    return figure


def draw_distributions(spaces: Mapping[str, Sequence[float]]) -> Figure:
    """Draw the error distribution of sampled spaces.

    Args:
        spaces: the accuracies in percent of each space's networks; nan for a training that failed.
    """
    figure, (panel,) = panels(7, 4.6)
    for color, (name, accuracies) in zip((BLUE, RED, GREEN, PURPLE), spaces.items()):
        errors, shares = error_distribution(accuracies)
        failed = int(np.isnan(np.asarray(accuracies, float)).sum())
        label = f"{name}: n = {len(errors)}, least {errors.min():.1f} %, mean {errors.mean():.1f} %"
        panel.step([0, *errors, 100], [0, *shares, 1], where="post", color=color, lw=1.8)
        panel.plot([], [], color=color, lw=1.8, label=label + (f", {failed} failed" if failed else ""))
    usual = [100 - top1 for accuracies in spaces.values() for top1 in accuracies if not isnan(top1)]
    panel.set(xlabel="error, %", ylabel="share of networks with at most this error", ylim=(0, 1.02))
    panel.set(xlim=(max(0, min(usual, default=0) - 2), min(100, max(usual, default=100) + 2)))
    share_legend(figure, columns=1)
    return figure


def _draw_networks(panel: Axes, networks: Sequence[Network], factor: str | None, **marks: Any) -> None:
    """Draw the accuracy of networks over one of their factors, or over their MACs."""
    known = [network for network in networks if not isnan(network.top1)]
    x = [number(network, factor) if factor else network.macs / 1e6 for network in known]
    panel.plot(x, [network.top1 for network in known], **DOT | marks)


def _draw_rule(panel: Axes, rule: str, networks: Sequence[Network]) -> None:
    """Draw the networks that a rule gives for several budgets, joined by a line."""
    known = sorted((network for network in networks if not isnan(network.top1)), key=lambda network: network.macs)
    macs, top1 = [network.macs / 1e6 for network in known], [network.top1 for network in known]
    spread = [0 if isnan(network.spread) else network.spread for network in known]
    marks = STAR | {"ls": "-", "ms": 12}
    panel.errorbar(macs, top1, spread, color=RULES.get(rule, PURPLE), label=rule, zorder=5, capsize=3, **marks)


def _draw_curve(
    panel: Axes, formula: Formula, factor: str, budgets: tuple[float, float], color: str, label: str, band: bool
) -> None:
    """Draw r, d or, by the scaling law MACs ~ r^2 d w^2, w of a formula over c."""
    c = np.geomspace(*budgets, 121)
    (r, r_spread), (d, d_spread) = (predict_log(process, c) for process in (formula.log_r, formula.log_d))
    law = (np.log(c) - 2 * r - d) / 2, np.hypot(r_spread, d_spread / 2)
    mean, spread = {"r": (r, r_spread), "d": (d, d_spread), "w": law}[factor]
    panel.plot(c, np.exp(mean), color=color, lw=1.8, ls="-" if band else "--", label=label)
    if band:
        edges = np.exp(mean - BAND_DEVIATIONS * spread), np.exp(mean + BAND_DEVIATIONS * spread)
        text = f"\u00b1 {BAND_DEVIATIONS} deviations of the regression"
        panel.fill_between(c, *edges, color=color, alpha=0.15, lw=0, label=text)

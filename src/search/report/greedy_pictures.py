"""The pictures of a greedy study: the multiply-adds of each stage, and the accuracy step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from typing import TYPE_CHECKING

import numpy as np

from src.design.architecture import Architecture
from src.design.cost import cost_table
from src.search.analysis.networks import Network
from src.search.report.style import (
    ACCURACY,
    BLACK,
    BLUE,
    DOT,
    GRAY,
    GREEN,
    MACS,
    ORANGE,
    PURPLE,
    RED,
    STAR,
    annotate,
    log_macs,
    panels,
    share_legend,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BARS = (GRAY, RED, GREEN, PURPLE)
DIMENSIONS = {"depth": BLUE, "width": ORANGE, "resolution": PURPLE}
BAR_WIDTH = 0.8  # of all bars of a part together


def draw_stage_macs(networks: Mapping[str, Architecture], num_classes: int) -> Figure:
    """Draw the multiply-adds of each part of networks side by side, and their shares of the whole.

    Args:
        networks: of the same number of stages, by what they are, such as "base" and "found".
        num_classes: classes of the classifier.
    """
    figure, (left, right) = panels(12, 4.4, 2)
    width = BAR_WIDTH / len(networks)
    for index, (label, network) in enumerate(networks.items()):
        rows = cost_table(network, num_classes)
        macs = np.array([row.cost.macs for row in rows])
        places = np.arange(len(rows)) + (index - (len(networks) - 1) / 2) * width
        text = f"{label}: {macs.sum() / 1e6:,.2f} M MACs, {network.resolution} px"
        for panel, values in ((left, macs / 1e6), (right, 100 * macs / macs.sum())):
            panel.bar(places, values, width, color=BARS[index % len(BARS)], label=text)
            panel.set_xticks(range(len(rows)), [row.name.replace("stage ", "") for row in rows])
    left.set(ylabel=MACS, xlabel="stem, stages, head, classifier")
    right.set(ylabel="share of the network's MACs, %", xlabel="stem, stages, head, classifier")
    for panel in (left, right):
        panel.tick_params(axis="x", labelsize=8)
        panel.grid(visible=False, axis="x")
    share_legend(figure, columns=len(networks))
    return figure


def draw_steps(
    candidates: Sequence[Network], chosen: Sequence[Network], finals: Mapping[str, Sequence[Network]]
) -> Figure:
    """Draw accuracy over MACs: all candidates of all steps, the path of those that were kept, and the comparison.

    Args:
        candidates: their note `dimension` is depth, width or resolution.
        chosen: the base, and the network that each step kept.
        finals: the networks of the final comparison; bars are one standard deviation over their seeds.
    """
    figure, (panel,) = panels(9, 5.6)
    for dimension, color in DIMENSIONS.items():
        known = [n for n in candidates if n.note("dimension") == dimension and not isnan(n.top1)]
        macs, top1 = [network.macs / 1e6 for network in known], [network.top1 for network in known]
        panel.plot(macs, top1, color=color, alpha=0.75, label=f"candidates: {dimension}", **DOT)
    path = [network for network in chosen if not isnan(network.top1)]
    panel.plot([network.macs / 1e6 for network in path], [network.top1 for network in path], color=BLACK, lw=1.2)
    panel.plot(
        [network.macs / 1e6 for network in path], [network.top1 for network in path], color=BLACK, label="kept",
        **DOT | {"ms": 8},
    )  # fmt: skip
    for step, network in enumerate(path):
        annotate(panel, f"step {step}" if step else "base", network.macs / 1e6, network.top1, xytext=(6, -12))
    for (rule, members), color in zip(finals.items(), (RED, GREEN, PURPLE)):
        for network in members:
            bar = 0 if isnan(network.spread) else network.spread
            panel.errorbar(network.macs / 1e6, network.top1, bar, color=color, capsize=3, label=rule, zorder=5, **STAR)
    log_macs(panel, [network.macs / 1e6 for network in [*candidates, *chosen]])
    panel.set(xlabel=MACS, ylabel=ACCURACY)
    share_legend(figure, columns=3)
    return figure

"""The picture of a baseline study: accuracy over multiply-adds with the front and curves of equal reward."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from typing import TYPE_CHECKING

import numpy as np

from src.search.analysis.networks import Network
from src.search.report.style import ACCURACY, BLACK, BLUE, DOT, GRAY, MACS, RED, STAR, log_macs, panels, share_legend

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CONTOURS = 6  # curves of equal reward
MOST_NAMED = 6  # generations in the legend; of more, the first and the last are named


def draw_rewards(
    generations: Mapping[str, Sequence[Network]],
    ranks: Mapping[int, int],
    best: Network | None,
    target: float,
    exponent: float,
) -> Figure:
    """Draw accuracy over MACs, with curves of equal reward: top-1 * (MACs / target)^exponent.

    Args:
        generations: the networks of each generation, which get darker, by its name.
        ranks: the number of each network's front, by the number of its trial.
        best: the network of the highest reward, which is marked.
        target: multiply-adds that the reward aims at.
        exponent: of the reward, at most 0.
    """
    figure, (panel,) = panels(9, 5.6)
    networks = [network for generation in generations.values() for network in generation]
    known = [network for network in networks if not isnan(network.top1)]
    macs = np.array([float(network.macs) for network in known] or [target])
    top1 = np.array([network.top1 for network in known] or [50.0])
    line = np.geomspace(macs.min() / 1.15, max(macs.max(), target) * 1.15, 100)
    rewards = top1 * (macs / target) ** exponent
    for reward in np.linspace(rewards.min(), rewards.max(), CONTOURS):
        panel.plot(line / 1e6, reward * (line / target) ** -exponent, color=GRAY, lw=0.8, ls=":", label="equal reward")
    panel.axvline(target / 1e6, color=GRAY, lw=1, ls="--", label="target")
    front = sorted((network.macs / 1e6, network.top1) for network in networks if ranks.get(network.number) == 0)
    if front:
        panel.step(*zip(*front), where="post", color=BLUE, lw=1.5, label="Pareto front")
    for index, (name, generation) in enumerate(generations.items()):
        share = (index + 1) / len(generations)
        is_named = index in (0, len(generations) - 1) or len(generations) <= MOST_NAMED
        label = name if is_named else None
        members = [network for network in generation if not isnan(network.top1)]
        x, y = [network.macs / 1e6 for network in members], [network.top1 for network in members]
        panel.plot(x, y, color=BLACK, alpha=0.25 + 0.75 * share, label=label, **DOT)
    if best:
        panel.plot(best.macs / 1e6, best.top1, color=RED, label="highest reward", **STAR)
    log_macs(panel, line / 1e6)
    low, high = top1.min(), top1.max()
    panel.set(xlabel=MACS, ylabel=ACCURACY, ylim=(low - 0.05 * (high - low) - 1, high + 0.05 * (high - low) + 1))
    share_legend(figure, columns=5)
    return figure

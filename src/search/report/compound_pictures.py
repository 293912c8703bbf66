"""The picture of a compound study: the grid of coefficients with the score of each candidate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from src.search.analysis.networks import Network
from src.search.report.style import BLACK, GRAY, RED, number, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LIGHT = 0.55  # share of the color scale from which its colors are so light that black letters are read better
SIDE = 0.9  # of a cell; the rest is the gap between two


def draw_grid(candidates: Sequence[Network], scores: Mapping[int, float], best: int | None) -> Figure:
    """Draw the score of each candidate over alpha (depth) and gamma (resolution); beta (width) stands in its cell.

    The constraint on alpha * beta^2 * gamma^2 leaves one or two values of beta for a pair of alpha and gamma.

    Args:
        candidates: with the notes alpha, beta and gamma.
        scores: in percent, by the numbers of those whose training is done.
        best: the number of the candidate to mark.
    """
    figure, (panel,) = panels(8.4, 6.2)
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.patches import Rectangle

    low, high = min(scores.values(), default=0), max(scores.values(), default=100)
    colors = colormaps["viridis"]
    cells: dict[tuple[float, float], list[Network]] = {}
    for network in sorted(candidates, key=lambda network: number(network, "beta")):
        cells.setdefault((number(network, "alpha"), number(network, "gamma")), []).append(network)
    columns, rows = sorted({alpha for alpha, _ in cells}), sorted({gamma for _, gamma in cells})
    for (alpha, gamma), members in cells.items():
        height = SIDE / len(members)
        for index, network in enumerate(members):
            x, y = columns.index(alpha), rows.index(gamma) - SIDE / 2 + (index + 0.5) * height
            score, is_best = scores.get(network.number), network.number == best
            share = 1.0 if score is None else (score - low) / ((high - low) or 1)
            color = "white" if score is None else colors(share)
            edge, width = (RED, 3) if is_best else (GRAY, 0.5)
            place = (x - SIDE / 2, y - height / 2)
            panel.add_patch(Rectangle(place, SIDE, height, fc=color, ec=edge, lw=width, zorder=2 + is_best))
            ink = BLACK if share > LIGHT else "white"
            text = ("failed" if score is None else f"{score:.1f}") + ("\n" if len(members) == 1 else ", ")
            text += f"\u03b2 {number(network, 'beta'):g}"
            panel.text(x, y, text, ha="center", va="center", fontsize=7.5, color=ink, zorder=4)
    panel.set_xticks(range(len(columns)), [f"{alpha:g}" for alpha in columns])
    panel.set_yticks(range(len(rows)), [f"{gamma:g}" for gamma in rows])
    panel.set(xlim=(-0.6, len(columns) - 0.4), ylim=(-0.6, len(rows) - 0.4))
    panel.set(xlabel="\u03b1, depth", ylabel="\u03b3, resolution")
    panel.grid(visible=False)
    figure.colorbar(ScalarMappable(Normalize(low, high), colors), ax=panel, label="score, %", shrink=0.8)
    return figure

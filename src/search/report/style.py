"""Style of the pictures of reports: colors, marks, axes and legends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from src.runtime.figures import literal, new_figure
from src.search.analysis.networks import Network

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette, which color-blind readers tell apart (Color Universal Design, 2008).
BLUE, ORANGE, GREEN, RED, PURPLE, SKY = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9"
GRAY, BLACK = "#a0a0a0", "#222222"
DPI = 120
DOT: dict[str, Any] = {"ls": "none", "marker": "o", "ms": 5, "mec": "white", "mew": 0.4}
USUAL = 200  # networks that dots of the usual size leave apart
STAR: dict[str, Any] = {"ls": "none", "marker": "*", "ms": 15, "mec": "white", "mew": 0.8}
ACCURACY = "top-1, %"
MACS = "M MACs an image"


def panels(width: float, height: float, columns: int = 1, **settings: Any) -> tuple[Figure, list[Axes]]:
    """Return a figure of `width` x `height` inches with `columns` axes side by side.

    Raises:
        UserError: matplotlib is not installed.
    """
    figure = new_figure(width, height, "a report")
    axes = list(figure.subplots(1, columns, squeeze=False, **settings)[0])
    for panel in axes:
        panel.spines[["top", "right"]].set_visible(False)
        panel.grid(alpha=0.25, lw=0.6)
        panel.set_axisbelow(True)
    return figure, axes


def cloud(count: int) -> dict[str, Any]:
    """Return the marks of `count` networks in the background: smaller ones if they are many."""
    return DOT | {"color": GRAY, "ms": 5 * min(1, USUAL / max(1, count)) ** 0.3, "mew": 0.4 if count <= USUAL else 0}


def share_legend(figure: Figure, columns: int = 4) -> None:
    """Put one legend for all axes below them, where it covers nothing. A label stands in it once."""
    marks: dict[str, Any] = {}
    for panel in figure.axes:
        for mark, label in zip(*panel.get_legend_handles_labels()):
            marks.setdefault(label, mark)
    if marks:
        columns = min(columns, len(marks))
        figure.legend(
            list(marks.values()), list(marks), loc="outside lower center", ncols=columns, frameon=False, fontsize=9
        )


def log_macs(panel: Axes, values: Sequence[float] | np.ndarray) -> None:
    """Make the horizontal axis logarithmic, with plain numbers at its ticks: the more, the less `values` span."""
    from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

    panel.set(xscale="log")
    finite = np.asarray(values, float)
    span = finite.max() / finite.min() if len(finite) else 10
    steps = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8) if span < 3 else (1, 2, 3, 5) if span < 30 else (1, 2, 5)
    panel.xaxis.set_major_locator(LogLocator(subs=steps, numticks=99))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))


def number(network: Network, key: str) -> float:
    """Return a number that the method noted about a network; nan if it did not."""
    value = network.note(key)
    return float(value) if value is not None else float("nan")


def annotate(panel: Axes, text: str, x: float, y: float, **settings: Any) -> None:
    """Write a text right above a point."""
    place: dict[str, Any] = {"textcoords": "offset points", "xytext": (4, 4), "fontsize": 8} | settings
    panel.annotate(literal(text), (x, y), **place)

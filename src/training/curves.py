"""Draw the curves of a run: loss, score and learning rate over its epochs."""

from __future__ import annotations

import logging
from pathlib import Path

from src.runtime.files import atomic_write
from src.training.state import Row
from src.training.task import Metric

logger = logging.getLogger(__name__)

COLORS = {"train": "tab:gray", "raw": "tab:blue", "ema": "tab:orange", "lr": "tab:green"}
MOST_MARKED = 30  # epochs: more points are drawn as a line without markers


def draw_curves(rows: list[Row], metric: Metric, path: Path) -> None:
    """Write a PNG of three panels. It is left out, with one line in the log, where matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator
    except ImportError:
        if len(rows) == 1:
            logger.info("curves.png is not drawn: `pip install matplotlib`")
        return
    panels = {
        "loss": {"train_loss": "training", "raw_loss": "validation, raw", "ema_loss": "validation, EMA"},
        f"{metric.label} ({metric.unit})": {
            f"raw_{metric.key}": "validation, raw",
            f"ema_{metric.key}": "validation, EMA",
        },
        "learning rate": {"lr": "at the end of the epoch"},
    }
    figure = Figure(figsize=(13, 3.8), layout="constrained")
    for axes, (title, lines) in zip(figure.subplots(1, 3), panels.items(), strict=True):
        for key, label in lines.items():
            epochs = [row["epoch"] for row in rows if key in row]
            values = [row[key] for row in rows if key in row]
            if values:
                marker = "o" if len(values) < MOST_MARKED else None
                axes.plot(epochs, values, label=label, color=COLORS[key.split("_")[0]], marker=marker, ms=3)
        axes.set(title=title, xlabel="epoch", yscale="log" if title == "loss" else "linear")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend(fontsize="small")
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=110)

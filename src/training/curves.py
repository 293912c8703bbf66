"""Curves of a run as a picture."""

from __future__ import annotations

import logging
from pathlib import Path

from src.runtime.files import atomic_write

logger = logging.getLogger(__name__)


def draw_curves(rows: list[dict[str, float]], path: Path) -> None:
    """Loss, top-1 and learning rate over epochs, as a PNG; left out where matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator
    except ImportError:
        if len(rows) == 1:
            logger.info("curves.png is not drawn: `pip install matplotlib`")
        return
    panels = {
        "loss": {
            "train_loss": "training (smoothed labels)",
            "raw_loss": "validation, raw",
            "ema_loss": "validation, EMA",
        },
        "top-1 (%)": {"raw_top1": "validation, raw", "ema_top1": "validation, EMA"},
        "learning rate": {"lr": "at the epoch's end"},
    }
    colours = {"train": "tab:gray", "raw": "tab:blue", "ema": "tab:orange", "lr": "tab:green"}
    figure = Figure(figsize=(13, 3.8), layout="constrained")
    for axes, (title, lines) in zip(figure.subplots(1, 3), panels.items(), strict=True):
        for key, label in lines.items():
            points = [(row["epoch"], row[key]) for row in rows if key in row]
            if points:
                marker = "o" if len(points) < 30 else None
                axes.plot(
                    *zip(*points, strict=True), label=label, color=colours[key.split("_")[0]], marker=marker, ms=3
                )
        axes.set(title=title, xlabel="epoch", yscale="log" if title == "loss" else "linear")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend(fontsize="small")
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=110)

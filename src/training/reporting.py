"""What a run leaves behind in its folder: log, metrics, curves, configuration, environment."""

from __future__ import annotations

import csv
import logging
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import yaml
from tqdm import tqdm

from src.config import TrainConfig
from src.errors import UserError
from src.files import written_beside

logger = logging.getLogger(__name__)

PACKAGES = ("mindspore", "numpy", "pillow", "pydantic", "safetensors", "onnx", "onnxruntime")


class RunFolder:
    """One run's folder. `rows` are those of metrics.csv, one an epoch, all values numbers (or empty)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.last, self.best = folder / "checkpoints" / "last.ckpt", folder / "checkpoints" / "best.ckpt"
        self.rows: list[dict[str, float]] = []

    def open(self, config: TrainConfig, *, epochs_done: int = 0) -> None:
        """Write config and environment, start the log, and take up the metrics of the first `epochs_done` epochs.

        Raises:
            UserError: the folder cannot be written to.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            log_to(self.folder / "train.log")
        except OSError as error:
            raise UserError(f"cannot write to run_dir {self.folder}: {error.strerror}; give another one") from None
        settings = yaml.safe_dump(config.model_dump(mode="json", by_alias=True, exclude_none=True), sort_keys=False)
        _write(self.folder / "config.yaml", settings)
        _write(self.folder / "environment.txt", environment())
        metrics = self.folder / "metrics.csv"
        if epochs_done and metrics.is_file():
            with open(metrics, newline="", encoding="utf-8") as file:
                rows = [{key: float(value) for key, value in row.items() if value} for row in csv.DictReader(file)]
            self.rows = [row for row in rows if row["epoch"] <= epochs_done]

    def add(self, row: dict[str, float]) -> None:
        """Append an epoch to metrics.csv and draw curves.png anew."""
        self.rows.append(row)
        columns = list(dict.fromkeys(key for line in self.rows for key in line))
        with written_beside(self.folder / "metrics.csv") as path, open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows({key: f"{value:.6g}" for key, value in line.items()} for line in self.rows)
        draw_curves(self.rows, self.folder / "curves.png")


class _BarHandler(logging.StreamHandler):
    """Log lines that do not cut through a progress bar."""

    def emit(self, record: logging.LogRecord) -> None:
        tqdm.write(self.format(record), file=sys.stderr)


def log_to(file: Path | None = None) -> None:
    """Send the project's log to the terminal and, from now on, to `file` too."""
    root = logging.getLogger("src")
    if not root.handlers:
        root.setLevel(logging.INFO)
        root.addHandler(_BarHandler())
    if file is not None:
        for handler in [handler for handler in root.handlers if isinstance(handler, logging.FileHandler)]:
            root.removeHandler(handler)
            handler.close()
        handler = logging.FileHandler(file, encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))
        root.addHandler(handler)


def environment() -> str:
    """Versions of interpreter, system and packages, a line each."""
    lines = [f"python {platform.python_version()}", f"system {platform.platform()}"]
    for package in PACKAGES:
        try:
            lines.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            lines.append(f"{package} not installed")
    return "\n".join(lines) + "\n"


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
    with written_beside(path) as temporary:
        figure.savefig(temporary, dpi=110)


def duration(seconds: float) -> str:
    """`3 d 4 h`, `2 h 5 min`, `3 min 20 s` or `12 s`."""
    minutes, hours, days = seconds / 60, seconds / 3600, seconds / 86400
    if days >= 1:
        return f"{int(days)} d {int(hours % 24)} h"
    if hours >= 1:
        return f"{int(hours)} h {int(minutes % 60)} min"
    return f"{int(minutes)} min {int(seconds % 60)} s" if minutes >= 1 else f"{seconds:.0f} s"


def _write(path: Path, text: str) -> None:
    with written_beside(path) as temporary:
        temporary.write_text(text, encoding="utf-8")

"""What a run leaves behind in its folder: log, metrics, curves, configuration, environment."""

from __future__ import annotations

import csv
import fcntl
import logging
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import yaml
from tqdm import tqdm

from src.config import TrainConfig
from src.distributed import is_first, ranks
from src.errors import UserError
from src.files import remove_left_over, written_beside

logger = logging.getLogger(__name__)

PACKAGES = ("mindspore", "numpy", "pillow", "pydantic", "safetensors", "onnx", "onnxruntime")


class RunFolder:
    """One run's folder. A row of metrics.csv is an epoch, all its values numbers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.last, self.best = folder / "checkpoints" / "last.ckpt", folder / "checkpoints" / "best.ckpt"
        self.events = self.lock = None

    def open(self, config: TrainConfig, rows: list[dict[str, float]], device: str) -> None:
        """Write configuration and environment, start the log, and bring the metrics to the state of `rows`.

        Raises:
            UserError: the folder cannot be written to, or TensorBoard's writer is not installed.
        """
        try:
            self.last.parent.mkdir(parents=True, exist_ok=True)
            self._lock()
            log_to(self.folder / "train.log")
        except OSError as error:
            raise UserError(f"cannot write to run_dir {self.folder}: {error.strerror}; give another one") from None
        names = ("config.yaml", "environment.txt", "metrics.csv", "curves.png")
        remove_left_over(self.last, self.best, *(self.folder / name for name in names))
        settings = yaml.safe_dump(config.model_dump(mode="json", by_alias=True, exclude_none=True), sort_keys=False)
        _write(self.folder / "config.yaml", settings)
        _write(self.folder / "environment.txt", environment() + f"device {device}, {ranks()} processes\n")
        if config.tensorboard:
            self.events = _event_writer(self.folder / "tensorboard", len(rows) + 1)
        if rows:
            self._write_metrics(rows)

    def report(self, rows: list[dict[str, float]]) -> None:
        """Add the last of `rows` to metrics.csv and to TensorBoard's events, and draw curves.png anew."""
        self._write_metrics(rows)
        draw_curves(rows, self.folder / "curves.png")
        if self.events:
            for key, value in rows[-1].items():
                self.events.add_scalar(key, value, rows[-1]["epoch"])

    def close(self) -> None:
        """Write what TensorBoard's writer still holds, and let others have the folder."""
        if self.events:
            self.events.close()
        if self.lock:
            self.lock.close()

    def _lock(self) -> None:
        """Keep a second training out of the folder; the lock ends with the process, however it ends."""
        self.lock = open(self.folder / ".lock", "w")  # noqa: SIM115 - held until close()
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"run_dir {self.folder} is in use by another training; wait for its end") from None

    def _write_metrics(self, rows: list[dict[str, float]]) -> None:
        columns = list(dict.fromkeys(key for row in rows for key in row))
        with written_beside(self.folder / "metrics.csv") as path, open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows({key: _text(value) for key, value in row.items()} for row in rows)


def _text(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.6g}"


def _event_writer(folder: Path, epoch: int):
    try:
        from tensorboardX import SummaryWriter
    except ImportError:
        raise UserError("tensorboard needs the package tensorboardX; `pip install tensorboardX`") from None
    return SummaryWriter(str(folder), purge_step=epoch, flush_secs=1)


class _LogFile(logging.FileHandler):
    """A log that a full disk ends with one line, and the training not at all."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name that logging calls
        logging.getLogger("src").removeHandler(self)
        logger.warning("%s cannot be written any more: %s", self.baseFilename, sys.exc_info()[1])


class _BarHandler(logging.StreamHandler):
    """Log lines that do not cut through a progress bar."""

    def emit(self, record: logging.LogRecord) -> None:
        tqdm.write(self.format(record), file=sys.stderr)


def log_to(file: Path | None = None) -> None:
    """Send the project's log to the terminal and, from now on, to `file` too; other ranks than the first only warn."""
    root = logging.getLogger("src")
    root.setLevel(logging.INFO if is_first() else logging.WARNING)
    if not root.handlers:
        root.addHandler(_BarHandler())
    if file is not None:
        for handler in [handler for handler in root.handlers if isinstance(handler, logging.FileHandler)]:
            root.removeHandler(handler)
            handler.close()
        handler = _LogFile(file, encoding="utf-8")
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

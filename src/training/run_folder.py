"""The folder of a run: configuration, environment, log, metrics, curves, checkpoints."""

from __future__ import annotations

import csv
import fcntl
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO, TYPE_CHECKING

import yaml

from src.config import TrainingConfig
from src.errors import UserError
from src.runtime.distributed import ranks
from src.runtime.files import atomic_write, remove_leftovers, write_text
from src.runtime.logs import log_to
from src.runtime.texts import Dumper
from src.training.checkpoint import previous_generation
from src.training.curves import draw_curves
from src.training.state import Row
from src.training.task import Metric

if TYPE_CHECKING:
    from tensorboardX import SummaryWriter

PACKAGES = ("mindspore", "numpy", "pillow", "pydantic", "safetensors", "onnx", "onnxruntime")

LOCK = ".lock"
REWRITTEN = ("config.yaml", "environment.txt", "metrics.csv", "curves.png")


class RunFolder:
    """The files of one run. Nothing is written before `open`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.last, self.best = folder / "checkpoints" / "last.ckpt", folder / "checkpoints" / "best.ckpt"
        self.events: SummaryWriter | None = None
        self.lock: IO[str] | None = None

    def open(self, config: TrainingConfig, rows: list[Row], device: str) -> None:
        """Write configuration and environment, start the log, and bring metrics.csv to the state of `rows`.

        Raises:
            UserError: the folder cannot be written to, another training uses it, or tensorboardX is not installed.
        """
        try:
            self._check_is_ours()
            self.last.parent.mkdir(parents=True, exist_ok=True)
            self._lock()
            log_to(self.folder / "train.log")
        except OSError as error:
            raise UserError(f"cannot write to run_dir {self.folder}: {error.strerror}; give another one") from None
        remove_leftovers(self.last, self.best, *(self.folder / name for name in REWRITTEN))
        settings = config.model_dump(mode="json", by_alias=True, exclude_none=True)
        write_text(self.folder / "config.yaml", yaml.dump(settings, Dumper=Dumper, sort_keys=False))
        write_text(self.folder / "environment.txt", environment() + f"device {device}, {ranks()} processes\n")
        if config.tensorboard:
            self.events = _event_writer(self.folder / "tensorboard", len(rows) + 1)
        if rows:
            self._write_metrics(rows)

    def report(self, rows: list[Row], metric: Metric) -> None:
        """Rewrite metrics.csv and curves.png, and add the last row to TensorBoard's event files."""
        self._write_metrics(rows)
        draw_curves(rows, metric, self.folder / "curves.png")
        if self.events:
            for key, value in rows[-1].items():
                self.events.add_scalar(key, value, rows[-1]["epoch"])

    def close(self) -> None:
        """Flush the event files, and let other trainings use the folder."""
        if self.events:
            self.events.close()
        if self.lock:
            self.lock.close()

    def _check_is_ours(self) -> None:
        """Refuse a folder in which a user keeps files that a run would write over."""
        if any(path.exists() for path in (self.folder / LOCK, self.last, previous_generation(self.last))):
            return
        for name in (*REWRITTEN, "train.log"):
            if (self.folder / name).exists():
                raise UserError(f"run_dir {self.folder} holds a {name}, but no run; give another one")

    def _lock(self) -> None:
        """Keep a second training out of the folder. The lock ends with the process, however that ends."""
        self.lock = open(self.folder / LOCK, "w")  # noqa: SIM115 - held until close()
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"run_dir {self.folder} is in use by another training; wait for its end") from None

    def _write_metrics(self, rows: list[Row]) -> None:
        fullest_first = sorted(rows, key=len, reverse=True)  # its order of columns is kept; others lack some of them
        columns = list(dict.fromkeys(key for row in fullest_first for key in row))
        with atomic_write(self.folder / "metrics.csv") as path, open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows({key: _number_text(value) for key, value in row.items()} for row in rows)


def environment() -> str:
    """Return the versions of interpreter, system and packages, a line each."""
    lines = [f"python {platform.python_version()}", f"system {platform.platform()}"]
    for package in PACKAGES:
        try:
            lines.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            lines.append(f"{package} not installed")
    return "\n".join(lines) + "\n"


def _number_text(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.6g}"


def _event_writer(folder: Path, epoch: int) -> SummaryWriter:
    try:
        from tensorboardX import SummaryWriter
    except ImportError:
        raise UserError("tensorboard needs the package tensorboardX; `pip install tensorboardX`") from None
    return SummaryWriter(str(folder), purge_step=epoch, flush_secs=1)

"""From the end of a process to the outcome of a trial: its exit status and its metrics decide, not what it printed."""

from __future__ import annotations

import csv
import signal
from pathlib import Path
from typing import NamedTuple

from src.runtime.texts import printable, shortened
from src.search.study.process import OUTPUT, Ended
from src.search.study.trial import Status

DIVERGED = 3  # exit status of train.py for a loss that is not finite
MISTAKE = 2  # ... and for what the user can correct
LONGEST_REASON = 300  # characters
MEMORY = ("MemoryError", "Out of memory", "out of memory", "bad_alloc", "Memory not enough", "Allocate memory failed")


class Outcome(NamedTuple):
    """How a trial ended; `top1` in percent and `loss` are None unless it is done."""

    status: Status
    top1: float | None = None
    loss: float | None = None
    reason: str = ""


def judge(ended: Ended, run_dir: Path, epochs: int) -> Outcome:
    """Return the outcome of a training of `epochs` epochs in `run_dir`."""
    if ended.fault:
        return Outcome("failed", reason=ended.fault)
    if ended.code == 0:
        return _score(run_dir, epochs)
    last = last_line(run_dir / OUTPUT)
    if ended.code == DIVERGED:
        return Outcome("diverged", reason=last)
    if ended.code == -signal.SIGKILL or any(word in last for word in MEMORY):
        how = "killed, as the system does when memory is short" if ended.code < 0 else last
        return Outcome("out of memory", reason=how)
    how = f"signal {-ended.code}" if ended.code < 0 else f"status {ended.code}"
    return Outcome("failed", reason=f"{how}: {last}")


def is_mistake(ended: Ended, run_dir: Path) -> str:
    """Return the line of a mistake that the user can correct, such as a full disk; empty if there is none."""
    return last_line(run_dir / OUTPUT).removeprefix("error: ") if ended.code == MISTAKE and not ended.fault else ""


def last_line(path: Path) -> str:
    """Return the last error line of an output, else its last line; empty if there is none."""
    try:
        lines = path.read_bytes().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    lines = [line.strip() for line in lines if line.strip()]
    errors = [line for line in lines if line.startswith("error: ")]
    return shortened(printable((errors or lines or [""])[-1]), LONGEST_REASON)


def _score(run_dir: Path, epochs: int) -> Outcome:
    """Return the accuracy of the last epoch: of the averaged weights if the recipe keeps an average.

    The best epoch would be a maximum over noise, which favors networks that are evaluated more often.
    """
    path = run_dir / "metrics.csv"
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        row = rows[-1] if rows else {}
        kind = "ema" if row.get("ema_top1") else "raw"
        if int(row.get("epoch", 0)) < epochs:
            return Outcome("failed", reason=f"it ended after epoch {row.get('epoch', 0)} of {epochs}")
        return Outcome("done", float(row[f"{kind}_top1"]), float(row[f"{kind}_loss"]))
    except (OSError, KeyError, ValueError) as error:
        return Outcome("failed", reason=f"{path.name} cannot be used: {error!r}")

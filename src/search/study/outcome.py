"""From the end of a process to the outcome of a trial: its exit status and its metrics decide, not what it printed."""

from __future__ import annotations

import csv
import os
import signal
from math import isfinite
from pathlib import Path
from typing import NamedTuple

from src.errors import FULL
from src.search.study.process import Ended
from src.search.study.trial import Status

DIVERGED = 3  # exit status of train.py for a loss that is not finite
MISTAKE = 2  # ... and for what the user can correct
NO_SPACE = tuple(map(os.strerror, FULL))
MEMORY = ("MemoryError", "Out of memory", "out of memory", "bad_alloc", "Memory not enough", "Allocate memory failed")


class Outcome(NamedTuple):
    """How a trial ended; `top1` in percent and `loss` are None unless it is done."""

    status: Status
    top1: float | None = None
    loss: float | None = None
    reason: str = ""


def judge(ended: Ended, run_dir: Path, epochs: int) -> Outcome:
    """Return the outcome of a training of `epochs` epochs in `run_dir`."""
    if ended.lost:
        return Outcome("failed", reason=ended.lost)
    if ended.code == 0:
        return _score(run_dir, epochs)
    if ended.code == DIVERGED:
        return Outcome("diverged", reason=ended.said)
    if ended.code == -signal.SIGKILL or any(word in ended.said for word in MEMORY):
        how = "killed, as the system does when memory is short" if ended.code < 0 else ended.said
        return Outcome("out of memory", reason=how)
    how = f"signal {-ended.code}" if ended.code < 0 else f"status {ended.code}"
    return Outcome("failed", reason=f"{how}: {ended.said or 'it printed nothing'}")


def is_mistake(ended: Ended) -> bool:
    """Return whether a training ended with a mistake that the user can correct."""
    return ended.code == MISTAKE and not ended.lost


def is_disk_full(ended: Ended) -> bool:
    """Return whether a training ended because it could not write."""
    return ended.code != 0 and any(words in ended.said for words in NO_SPACE)


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
        top1, loss = float(row[f"{kind}_top1"]), float(row[f"{kind}_loss"])
        if not (isfinite(top1) and isfinite(loss)):
            return Outcome("diverged", reason=f"the loss on the validation images is {loss}")
        return Outcome("done", top1, loss)
    except (OSError, KeyError, ValueError) as error:
        return Outcome("failed", reason=f"{path.name} cannot be used: {error!r}")

"""A trial, which is one training of a study, and its result."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from src.design.architecture import Architecture
from src.errors import UserError

Status = Literal["done", "failed", "diverged", "out of memory", "timeout"]
Note: TypeAlias = "float | int | str"


@dataclass(frozen=True)
class Trial:
    """One training that a method proposes.

    Attributes:
        architecture: the network, at the resolution at which it is trained and scored.
        group: the part of the study that the trial belongs to, such as "all budgets" or "step 2".
        seed: seed of the training.
        notes: what the method knows about the network, such as the factors r, w and d: columns of the tables.
    """

    architecture: Architecture
    group: str
    seed: int = 1
    notes: Mapping[str, Note] = field(default_factory=dict)

    def notes_text(self) -> str:
        """Return the notes in one line, such as `r=0.82 d=0.7`."""
        texts = {key: f"{note:.4g}" if isinstance(note, float) else str(note) for key, note in self.notes.items()}
        return " ".join(f"{key}={text}" for key, text in texts.items())


def check_same_trial(number: int, before: Trial, now: Trial, source: Path) -> None:
    """Check that a resumed study proposes the trial that `source` holds.

    Raises:
        UserError: it proposes another one, as another version of the project may do.
    """
    if before != now:
        raise UserError(
            f"{source}: trial {number} is {before.architecture.name} of {before.group!r}, but this version proposes "
            f"{now.architecture.name} of {now.group!r}, or another network of that name; resume the study with the "
            "version that began it, or give another --study"
        )


@dataclass(frozen=True)
class Result:
    """How a trial ended.

    Attributes:
        number: of the trial in its study, from 1.
        top1: accuracy in percent on the validation images after the last epoch; None if the trial is not done.
        loss: cross-entropy on the same images; None if the trial is not done.
        macs: multiply-adds of an image, with the classes of the data.
        parameters: trainable parameters, with the classes of the data.
        seconds: duration of the last attempt.
        attempts: how often the training was started.
        reason: why the trial is not done; empty if it is.
        host, device: where the last attempt ran.
        run_dir: folder of the training, relative to the study.
    """

    number: int
    trial: Trial
    status: Status
    top1: float | None
    loss: float | None
    macs: int
    parameters: int
    seconds: float
    attempts: int = 1
    reason: str = ""
    host: str = ""
    device: str = "cpu"
    run_dir: str = ""

    @property
    def is_done(self) -> bool:
        """Return whether the training reached its last epoch."""
        return self.status == "done"

    @property
    def accuracy(self) -> float:
        """The top-1 accuracy in percent; nan if the trial is not done."""
        return float("nan") if self.top1 is None else self.top1


# A method proposes a round of trials, gets their results in the same order, and proposes the next round.
Rounds: TypeAlias = "Generator[list[Trial], list[Result], None]"


def rank(result: Result) -> tuple[float, float, int, int]:
    """Return the key that sorts results best first: accuracy, then loss, then cost, then number.

    Accuracies of a few hundred images are often equal; the loss still tells networks apart.
    """
    if result.top1 is None or result.loss is None:
        return float("inf"), float("inf"), result.macs, result.number
    return -result.top1, result.loss, result.macs, result.number

"""The progress of a run: step, finished epochs, best result. Checkpoints keep it, so that a run can be resumed."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from src.training.run_plan import RunPlan
from src.training.task import Metric

Row = dict[str, float]  # one epoch: a row of metrics.csv; without what was not measured
KINDS = ("ema", "raw")  # of weights, the averaged ones first: they win a tie


@dataclass
class EpochSums:
    """Sums over the current epoch. Times are in seconds."""

    loss: float = 0.0  # over all batches
    batches: int = 0
    seconds: float = 0.0  # of the timed steps
    waited: float = 0.0  # for data
    timed: int = 0  # steps; the first step of each process compiles and is not timed

    def add_losses(self, losses: list[float]) -> None:
        """Add the losses of some batches."""
        for loss in losses:  # one by one, so that the sum does not depend on where a run was interrupted
            self.loss += loss
        self.batches += len(losses)

    @property
    def seconds_per_step(self) -> float | None:
        """Mean seconds of a step; None while none was timed."""
        return self.seconds / self.timed if self.timed else None

    def share(self, seconds: float) -> float:
        """Return `seconds` as a share of the timed seconds, of which there must be some."""
        return seconds / self.seconds


@dataclass
class RunState:
    """The progress of a run.

    Attributes:
        better: the kind of weights, "raw" or "ema", that scored higher at the last evaluation.
        best: the highest score of the run so far; -1 before the first evaluation.
        step: optimizer steps since the start of the run.
        rows: the finished epochs.
        sums: of the current epoch.
    """

    better: str
    best: float = -1.0
    step: int = 0
    rows: list[Row] = field(default_factory=list)
    sums: EpochSums = field(default_factory=EpochSums)

    @property
    def epoch(self) -> int:
        """Number of the current epoch, from 0."""
        return len(self.rows)

    def step_in_epoch(self, plan: RunPlan) -> int:
        """Return how many steps of the current epoch are done."""
        return self.step - self.epoch * plan.steps_per_epoch

    def end_epoch(self, row: Row, metric: Metric) -> bool:
        """Add a finished epoch. Return whether its score is the best of the run."""
        scores = {kind: row[f"{kind}_{metric.key}"] for kind in KINDS if f"{kind}_{metric.key}" in row}
        self.rows.append(row)
        self.sums = EpochSums()
        if not scores:
            return False
        self.better = max(scores, key=lambda kind: scores[kind])
        improved = scores[self.better] > self.best
        self.best = max(self.best, scores[self.better])
        return improved

    def to_meta(self) -> dict[str, Any]:
        """Return plain values for a checkpoint's `meta`."""
        return {
            "step": self.step,
            "better": self.better,
            "best": self.best,
            "rows": self.rows,
            "partial": asdict(self.sums),
        }

    @classmethod
    def from_meta(cls, meta: dict[str, Any], plan: RunPlan) -> RunState:
        """Restore the progress of a checkpoint.

        If the global batch has changed, the step of the current epoch is the one that has seen as many images.
        """
        rows, step = meta["rows"], meta["step"]
        if (meta["steps"], meta["images"]) != (plan.steps_per_epoch, plan.global_batch):
            seen = (step - len(rows) * meta["steps"]) * meta["images"]
            step = len(rows) * plan.steps_per_epoch + min(seen // plan.global_batch, plan.steps_per_epoch)
        return cls(meta["better"], meta["best"], step, rows, EpochSums(**meta["partial"]))

"""The training loop: steps, epochs, evaluation, checkpoints. It does not know the task that is learned."""

from __future__ import annotations

import gc
import logging
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import mindspore as ms
import numpy as np
from tqdm import tqdm

from src.config import TrainingConfig
from src.errors import Diverged
from src.runtime import collectives, distributed
from src.training.checkpoint import save_state
from src.training.progress import Snapshot, epoch_line, interval_line
from src.training.run_folder import RunFolder
from src.training.run_plan import RunPlan
from src.training.state import Row, RunState
from src.training.step import TrainStep
from src.training.stopping import StopRequest
from src.training.task import Task
from src.training.timer import StepTimer
from src.weights.names import weights_of

logger = logging.getLogger(__name__)

SAVE_BEFORE_EVALUATION = 60  # seconds: save first if the last checkpoint is older, because an evaluation may fail


@dataclass(frozen=True)
class Run:
    """The parts of a run, as `build_run` makes them. `folder` is None on every rank but the first.

    `identity` is what must not change when the run is resumed; `header` describes the run for the log.
    """

    config: TrainingConfig
    task: Task
    plan: RunPlan
    step: TrainStep
    state: RunState
    folder: RunFolder | None
    identity: dict[str, Any]
    device: str
    header: str


class Trainer:
    """Trains a run from its state to its last epoch."""

    def __init__(self, run: Run) -> None:
        self.config, self.task, self.plan, self.state = run.config, run.task, run.plan, run.state
        self.step, self.folder, self.run = run.step, run.folder, run
        self.timer = StepTimer(run.state)
        self.stop = StopRequest()
        self.pending: list[ms.Tensor] = []  # losses that are still on the device
        self.saved_at = time.monotonic()

    def fit(self) -> None:
        """Train to the last epoch, or until a signal asks to stop; then everything is saved.

        Raises:
            Diverged: the loss is not a number.
            UserError: the run folder cannot be written, or an image cannot be read.
            KeyboardInterrupt: SIGINT came.
        """
        if self.state.epoch >= self.plan.epochs:
            best = f"best {self.task.metric.label} {self.state.best:.2f} {self.task.metric.unit}"
            logger.info("all %d epochs are done (%s)", self.state.epoch, best)
            return
        if self.folder:
            self.folder.open(self.config, self.state.rows, self.run.device)
        logger.info(self.run.header)
        with self.stop:
            while self.state.epoch < self.plan.epochs and self.train_epoch():
                self.finish_epoch()
        if self.folder:
            self.folder.close()
        self._report_stop()

    def train_epoch(self) -> bool:
        """Train the rest of the current epoch. Return False if a signal ended it."""
        end = (self.state.epoch + 1) * self.plan.steps_per_epoch
        done = self.state.step_in_epoch(self.plan)
        batches = self.task.batches(self.state.epoch, done * self.plan.accumulate, self.plan.batches_per_epoch)
        with self._progress_bar(done) as bar:
            while self.state.step < end:
                self.take_step(batches)
                bar.update()
                if self._log_is_due(end) and self.sync_and_log():
                    self.save()
                    return False
        return True

    def take_step(self, batches: Iterator[tuple[ms.Tensor, ...]]) -> None:
        """Update the weights once, with the gradients of `accumulate` batches."""
        with self.timer.step():
            for part in range(self.plan.accumulate):
                with self.timer.wait():
                    batch = next(batches)
                is_last = part == self.plan.accumulate - 1
                self.pending.append(self.step(*batch) if is_last else self.step.add(*batch))
            if not self.timer.compiled:
                self.pending[-1].asnumpy()  # waits for the compiler, whose time is logged
        self.stop.reinstall_handlers()
        self.state.step += 1

    def sync_and_log(self) -> bool:
        """Copy the pending losses to the host, check that they are finite, log them, and save if that is due.

        Return whether any rank was asked to stop.
        """
        with self.timer.sync():
            losses = [float(loss.asnumpy()) for loss in self.pending]
        self.pending.clear()
        self._check_finite(losses)
        self.state.sums.add_losses(losses)
        mine = np.array([self.timer.slowest, self.state.sums.waited, self.stop.signal or 0], np.float64)
        slowest, waited, signals = collectives.all_gather(mine).T
        logger.info(interval_line(self._snapshot(losses[-1], slowest, waited)))
        self.timer.slowest = 0.0
        if stops := [int(number) for number in signals if number]:
            self.stop.note(stops[0])
        elif time.monotonic() - self.saved_at > 60 * self.config.checkpoint_minutes:
            self.save()
        return bool(stops)

    def finish_epoch(self) -> None:
        """Evaluate, save and report the epoch that has just been trained."""
        row = self._row()
        if row["epoch"] % self.config.eval_interval == 0 or row["epoch"] == self.plan.epochs:
            if time.monotonic() - self.saved_at > SAVE_BEFORE_EVALUATION:
                self.save()
            row |= self.evaluate()
        improved = self.state.end_epoch(row, self.task.metric)
        self.timer.slowest = 0.0
        is_scored = f"raw_{self.task.metric.key}" in row
        is_first = bool(self.folder and is_scored and not self.folder.best.exists())
        self.save(best=improved or is_first)
        if self.folder:
            self.folder.report(self.state.rows, self.task.metric)
        logger.info(epoch_line(row, self.plan.epochs, self.task.metric))
        gc.collect()  # pipelines and figures are in cycles, which grow by 3 MB an epoch until Python collects them

    def evaluate(self) -> dict[str, float]:
        """Return the metrics of the raw and of the averaged weights: `raw_top1`, `ema_top1`, ..."""
        weights = {"raw": weights_of(self.step.network)}
        if self.step.ema:
            weights["ema"] = {p.name: average for p, average in zip(self.step.source, self.step.ema, strict=True)}
        results = {kind: self.task.evaluate(values) for kind, values in weights.items()}
        return {f"{kind}_{key}": value for kind, metrics in results.items() for key, value in metrics.items()}

    def save(self, best: bool = False) -> None:
        """Write last.ckpt, whose previous generation is kept, and with `best` also best.ckpt."""
        if not self.folder:
            return
        key = self.task.metric.key
        score = self.state.rows[-1].get(f"{self.state.better}_{key}") if self.state.rows else None
        meta = self.run.identity | {key: score} | self.state.to_meta()
        save_state(self.step, meta, self.folder.last, *([self.folder.best] if best else []))
        self.saved_at = time.monotonic()

    def _log_is_due(self, end: int) -> bool:
        alone_and_stopped = bool(self.stop) and distributed.ranks() == 1  # other ranks must log at the same step
        return self.state.step % self.plan.log_interval == 0 or self.state.step == end or alone_and_stopped

    def _check_finite(self, losses: list[float]) -> None:
        first = self.state.step - len(losses) // self.plan.accumulate + 1
        for index, loss in enumerate(losses):
            if not math.isfinite(loss):
                is_kept = self.folder is not None and self.folder.last.exists()
                kept = f"{self.folder.last} was kept" if self.folder and is_kept else "nothing was saved yet"
                step = first + index // self.plan.accumulate
                raise Diverged(f"the loss is {loss} at step {step}; {kept}; try a lower --lr")

    def _row(self) -> Row:
        """Return the row of metrics.csv for the epoch that has just been trained."""
        sums = self.state.sums
        row: Row = {
            "epoch": self.state.epoch + 1,
            "step": self.state.step,
            "lr": self.plan.rate_of(self.state.step),
            "train_loss": sums.loss / sums.batches,
        }
        if (pace := sums.seconds_per_step) is not None:
            row["images_per_second"] = self.plan.global_batch / pace
            row["data_wait"] = sums.share(sums.waited)
            row["seconds"] = pace * self.plan.steps_per_epoch
        return row

    def _snapshot(self, loss: float, slowest: np.ndarray, waited: np.ndarray) -> Snapshot:
        scaling = self.step.loss_scale
        return Snapshot(
            plan=self.plan,
            state=self.state,
            loss=loss,
            slowest=slowest,
            waited=float(waited.max()),
            loss_scale=None if scaling is None else (float(scaling.scale.asnumpy()), int(scaling.overflows.asnumpy())),
        )

    def _progress_bar(self, done: int) -> tqdm:
        return tqdm(
            desc=f"epoch {self.state.epoch + 1}/{self.plan.epochs}",
            total=self.plan.steps_per_epoch,
            initial=done,
            leave=False,
            disable=None if self.folder else True,
        )

    def _report_stop(self) -> None:
        if self.stop.signal is None:
            return
        how = "--resume auto resumes the run" if self.folder else "the first rank has saved"
        logger.info("stopped by %s after step %d; %s", self.stop.signal.name, self.state.step, how)
        if self.stop.signal.name == "SIGINT":
            raise KeyboardInterrupt

"""How a run is going: what is summed up over an epoch, and the lines in which a training tells of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from src.runtime import distributed
from src.runtime.logs import duration
from src.training.schedule import schedule_line

if TYPE_CHECKING:
    from src.training.trainer import Trainer

INSTANT = 1e-9  # seconds, in place of none


@dataclass
class EpochSums:
    """Sums over the epoch that is under way; they are kept in checkpoints. Times are in seconds."""

    loss: float = 0.0  # of all batches
    batches: int = 0
    seconds: float = 0.0  # of the updates that were timed
    waited: float = 0.0  # for data
    timed: int = 0  # updates: all but the first of each process, which compiles

    def add_losses(self, losses: list[float]) -> None:
        """Account for the losses of some batches."""
        for loss in losses:  # one by one, so that the sum does not depend on where a run was interrupted
            self.loss += loss
        self.batches += len(losses)

    @property
    def pace(self) -> float:
        """Seconds an update takes (`INSTANT` as long as none was timed)."""
        return max(self.seconds, INSTANT) / max(self.timed, 1)

    def share(self, seconds: float) -> float:
        """What part of the timed seconds these are."""
        return seconds / max(self.seconds, INSTANT)


def header(trainer: Trainer) -> str:
    """The run on one screen."""
    config, ranks, train, val = trainer.config, distributed.ranks(), trainer.train, trainer.val
    parameters, macs = f"{trainer.cost.parameters:,} parameters", f"{trainer.cost.macs / 1e6:.1f} M MACs"
    factors = [f"{config.batch_size} images"]
    factors += [f"{ranks} devices"] if ranks > 1 else []
    factors += [f"{config.accumulate} accumulated"] if config.accumulate > 1 else []
    product = f" = {' x '.join(factors)}" if len(factors) > 1 else ""
    precision = config.amp_level if config.amp_level == "O0" else f"{config.amp_level} {config.amp_dtype}"
    shard = f", {len(train) // ranks:,} to train on for each device" if ranks > 1 else ""
    more, each = (f" and {ranks - 1} more", " each") if ranks > 1 else ("", "")
    resumed = f", resumed after step {trainer.updates}" if trainer.updates else ""
    lines = {
        "network": f"{trainer.architecture.name}, {trainer.preprocess.size} px, {parameters}, {macs}",
        "data": f"{train.root.parent}, {len(train):,} + {len(val):,} images, {len(train.classes)} classes{shard}",
        "batch": f"{trainer.global_batch:,} images{product}",
        "training": f"{config.epochs} epochs x {trainer.steps} steps, {config.optimizer}, seed {config.seed}",
        "rate": schedule_line(config, trainer.global_batch),
        "device": f"{trainer.device}{more}, precision {precision}, {trainer.workers} data workers{each}",
        "run": f"{trainer.run.folder if trainer.run else ''}{resumed}",
    }
    return "\n".join(f"{key:>9}  {value}" for key, value in lines.items())


def interval_line(trainer: Trainer, loss: float, slowest: np.ndarray, waited: np.ndarray) -> str:
    """A log interval in one line; `slowest`: the longest step of each rank, `waited`: for data, both in seconds."""
    epochs, steps, sums = trainer.config.epochs, trainer.steps, trainer.sums
    epoch = len(trainer.rows)
    parts = [
        f"epoch {epoch + 1}/{epochs} step {trainer.updates - epoch * steps}/{steps}",
        f"loss {loss:.3f}",
        f"lr {trainer.rates[trainer.updates - 1]:.2e}",
    ]
    if not sums.timed:
        return ", ".join(parts)
    parts += [f"{trainer.global_batch / sums.pace:.0f} img/s", f"data wait {sums.share(waited.max()):.0%}"]
    if len(slowest) > 1:
        parts.append(f"slowest step {slowest.max():.2f} s on rank {slowest.argmax()}")
    if (scaling := trainer.step.loss_scale) is not None:
        parts.append(f"loss scale {scaling.scale.asnumpy():g} ({scaling.overflows.asnumpy()} overflows)")
    return ", ".join([*parts, f"{duration(sums.pace * (steps * epochs - trainer.updates))} left"])


def epoch_line(row: dict[str, float], epochs: int) -> str:
    """A row of metrics.csv in one line of the log."""
    scores = [f"{kind} top-1 {row[f'{kind}_top1']:.2f} %" for kind in ("raw", "ema") if f"{kind}_top1" in row]
    left = row["seconds"] * (epochs - row["epoch"])
    return ", ".join(
        [f"epoch {row['epoch']}/{epochs}", f"loss {row['train_loss']:.3f}", *scores]
        + [f"{row['images_per_second']:.0f} img/s", f"data wait {row['data_wait']:.0%}", f"{duration(left)} left"]
    )

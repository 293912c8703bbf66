"""The lines that a training writes into its log. They are functions of values, not of the loop."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from src.config import TrainingConfig
from src.runtime import distributed
from src.runtime.durations import duration
from src.training.run_plan import RunPlan
from src.training.schedule import schedule_line
from src.training.state import KINDS, Row, RunState
from src.training.task import Metric


@dataclass(frozen=True)
class Snapshot:
    """A run between two steps.

    Attributes:
        loss: of the last batch.
        slowest: seconds of each rank's longest step since the last line, (ranks,).
        waited: seconds of this epoch in which the slowest rank waited for data.
        loss_scale: scale and number of overflows; None where losses are not scaled.
    """

    plan: RunPlan
    state: RunState
    loss: float
    slowest: np.ndarray
    waited: float
    loss_scale: tuple[float, int] | None


def header(
    config: TrainingConfig,
    task_lines: dict[str, str],
    plan: RunPlan,
    device: str,
    workers: int,
    folder: Path | None,
    resumed_after: int,
) -> str:
    """Describe a run in one screen. `task_lines` are those of `Task.describe`; `resumed_after` is a step, 0 if new."""
    ranks = distributed.ranks()
    factors = [f"{config.batch_size} images"]
    factors += [f"{ranks} devices"] if ranks > 1 else []
    factors += [f"{config.accumulate} accumulated"] if config.accumulate > 1 else []
    product = f" = {' x '.join(factors)}" if len(factors) > 1 else ""
    precision = config.amp_level if config.amp_level == "O0" else f"{config.amp_level} {config.amp_dtype}"
    more, each = (f" and {ranks - 1} more", " each") if ranks > 1 else ("", "")
    resumed = f", resumed after step {resumed_after}" if resumed_after else ""
    lines = task_lines | {
        "batch": f"{plan.global_batch:,} images{product}",
        "training": f"{plan.epochs} epochs x {plan.steps_per_epoch} steps, {config.optimizer}, seed {config.seed}",
        "rate": schedule_line(config, plan.global_batch),
        "device": f"{device}{more}, precision {precision}, {workers} data workers{each}",
        "run": f"{folder or ''}{resumed}",
    }
    return "\n".join(f"{key:>9}  {value}" for key, value in lines.items())


def interval_line(now: Snapshot) -> str:
    """Describe the steps since the last line."""
    plan, state, sums = now.plan, now.state, now.state.sums
    parts = [
        f"epoch {state.epoch + 1}/{plan.epochs} step {state.step_in_epoch(plan)}/{plan.steps_per_epoch}",
        f"loss {now.loss:.3f}",
        f"lr {plan.rate_of(state.step):.2e}",
    ]
    if (pace := sums.seconds_per_step) is None:
        return ", ".join(parts)
    parts += [f"{plan.global_batch / pace:.0f} img/s", f"data wait {sums.share(now.waited):.0%}"]
    if len(now.slowest) > 1:
        parts.append(f"slowest step {now.slowest.max():.2f} s on rank {now.slowest.argmax()}")
    if now.loss_scale is not None:
        parts.append("loss scale {:g} ({} overflows)".format(*now.loss_scale))
    return ", ".join([*parts, f"{duration(pace * (plan.steps - state.step))} left"])


def epoch_line(row: Row, epochs: int, metric: Metric) -> str:
    """Describe a finished epoch, without a speed if none of its steps was timed."""
    scores = [
        f"{kind} {metric.label} {row[f'{kind}_{metric.key}']:.2f} {metric.unit}"
        for kind in reversed(KINDS)
        if f"{kind}_{metric.key}" in row
    ]
    parts = [f"epoch {row['epoch']}/{epochs}", f"loss {row['train_loss']:.3f}", *scores]
    if "seconds" in row:
        left = row["seconds"] * (epochs - row["epoch"])
        parts += [
            f"{row['images_per_second']:.0f} img/s",
            f"data wait {row['data_wait']:.0%}",
            f"{duration(left)} left",
        ]
    return ", ".join(parts)

"""The numbers of a run that follow from its configuration, its data and its ranks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from src.config import TrainingConfig
from src.training.schedule import learning_rates

MOST_STEPS_BETWEEN_LOGS = 50  # losses are copied from the device and checked at each line of the log


@dataclass(frozen=True)
class RunPlan:
    """The division of a run into epochs and steps.

    Attributes:
        epochs: passes over the training images.
        steps_per_epoch: optimizer steps of one epoch.
        accumulate: batches of one step on each rank.
        global_batch: images of one step, over all ranks and accumulated batches.
        log_interval: steps between two lines of the log.
        learning_rates: float32 (epochs * steps_per_epoch,), one for each step.
    """

    epochs: int
    steps_per_epoch: int
    accumulate: int
    global_batch: int
    log_interval: int
    learning_rates: np.ndarray

    @classmethod
    def of(cls, config: TrainingConfig, images: int, ranks: int) -> RunPlan:
        """Divide `images` training images; those that do not fill a step are left out of an epoch."""
        global_batch = config.batch_size * ranks * config.accumulate
        steps = images // global_batch
        return cls(
            epochs=config.epochs,
            steps_per_epoch=steps,
            accumulate=config.accumulate,
            global_batch=global_batch,
            log_interval=config.log_interval or min(math.ceil(steps / 20), MOST_STEPS_BETWEEN_LOGS),
            learning_rates=learning_rates(config, steps, global_batch),
        )

    @property
    def batches_per_epoch(self) -> int:
        """Batches that each rank takes in one epoch."""
        return self.steps_per_epoch * self.accumulate

    @property
    def steps(self) -> int:
        """Optimizer steps of the whole run."""
        return self.epochs * self.steps_per_epoch

    def rate_of(self, step: int) -> float:
        """Return the learning rate of the `step`-th step, counted from 1."""
        return float(self.learning_rates[step - 1])

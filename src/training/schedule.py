"""The learning-rate schedule: warm-up, then steps, a cosine or a constant."""

from __future__ import annotations

import numpy as np

from src.config import RecipeOptions
from src.errors import UserError


def peak_rate(recipe: RecipeOptions, global_batch: int) -> float:
    """Return the learning rate after warm-up: `lr`, scaled linearly from a batch of `lr_batch` to this one."""
    return recipe.lr * (global_batch / recipe.lr_batch if recipe.lr_batch else 1)


def learning_rates(recipe: RecipeOptions, steps_per_epoch: int, global_batch: int) -> np.ndarray:
    """Return the learning rate of every step, float32 (epochs * steps_per_epoch,).

    The rate rises linearly from `warmup_lr` to the peak over `warmup_epochs`. Then it follows `schedule`:
    step: `peak * decay_rate ** floor(epoch / decay_epochs)`; `epoch` is a fraction, counted from the start of the run;
    cosine: half a period from the peak down to `min_lr` at the last step;
    constant: the peak.

    Raises:
        UserError: `min_lr` is above the peak.
    """
    peak = peak_rate(recipe, global_batch)
    epoch = np.arange(recipe.epochs * steps_per_epoch) / steps_per_epoch
    after = _AFTER_WARMUP[recipe.schedule](recipe, peak, epoch)
    if recipe.warmup_epochs == 0:
        return after.astype(np.float32)
    progress = np.minimum(epoch, recipe.warmup_epochs) / recipe.warmup_epochs
    warm = recipe.warmup_lr + (peak - recipe.warmup_lr) * progress
    return np.where(epoch < recipe.warmup_epochs, warm, after).astype(np.float32)


def schedule_line(recipe: RecipeOptions, global_batch: int) -> str:
    """Describe the schedule in words, such as `0.006 after 3 epochs, then x 0.97 every 2.4`."""
    after = {
        "step": f"then x {recipe.decay_rate:g} every {recipe.decay_epochs:g}",
        "cosine": f"then a cosine to {recipe.min_lr:g}",
        "constant": "then constant",
    }
    return f"{peak_rate(recipe, global_batch):g} after {recipe.warmup_epochs:g} epochs, {after[recipe.schedule]}"


def _steps(recipe: RecipeOptions, peak: float, epoch: np.ndarray) -> np.ndarray:
    return peak * recipe.decay_rate ** np.floor(epoch / recipe.decay_epochs)


def _cosine(recipe: RecipeOptions, peak: float, epoch: np.ndarray) -> np.ndarray:
    if recipe.min_lr > peak:
        raise UserError(f"min_lr is {recipe.min_lr:g}, above the peak learning rate {peak:g}; lower it")
    length = epoch[-1] - recipe.warmup_epochs
    progress = (epoch - recipe.warmup_epochs).clip(0) / length if length > 0 else np.zeros_like(epoch)
    return recipe.min_lr + (peak - recipe.min_lr) * (1 + np.cos(np.pi * progress)) / 2


def _constant(recipe: RecipeOptions, peak: float, epoch: np.ndarray) -> np.ndarray:
    return np.full_like(epoch, peak)


_AFTER_WARMUP = {"step": _steps, "cosine": _cosine, "constant": _constant}

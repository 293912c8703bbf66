"""All of a training run in one file: weights, average, optimizer, counters, and what they mean.

`meta` of a checkpoint: model, classes, preprocess (see `Preprocess.as_dict`), epoch and step (both done), better ("raw"
or "ema": the weights that scored higher), top1 (of the better ones, percent), best (the run's highest top1 so far),
bn_epsilon (without which the weights compute something else), config (the effective configuration).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mindspore as ms
import numpy as np

from src.errors import Diverged, UserError
from src.training.step import TrainStep
from src.weights import OPTIMIZER_PREFIX, read_ckpt, save_ckpt


def state_of(step: TrainStep) -> dict[str, ms.Parameter]:
    """Every parameter that training changes, under the name that it has in a checkpoint."""
    state = {parameter.name: parameter for parameter in step.network.get_parameters()}
    own = [parameter for parameter in step.optimizer.get_parameters() if parameter.name not in state]
    state |= {OPTIMIZER_PREFIX + p.name: p for p in own if p.name != "learning_rate"}
    return state | {parameter.name: parameter for parameter in step.ema}


def save_state(step: TrainStep, meta: dict[str, Any], *paths: Path) -> None:
    """Write the same checkpoint to each path, replacing what is there only when the new one is whole.

    Raises:
        Diverged: a value is not finite; what is on disk stays.
        UserError: a folder cannot be written to.
    """
    tensors = {name: parameter.asnumpy() for name, parameter in state_of(step).items()}
    for name, value in tensors.items():
        if not np.isfinite(value).all():
            raise Diverged(f"{name} is not finite after step {meta['step']}; {paths[0]} was kept; try a lower --lr")
    for path in paths:
        save_ckpt(tensors, path, meta)


def load_state(step: TrainStep, path: Path) -> dict[str, Any]:
    """Put a checkpoint back into `step` and return its `meta`.

    Raises:
        UserError: the file is damaged, or not a checkpoint of this training.
    """
    tensors, meta = read_ckpt(path)
    state = state_of(step)
    wrong = [n for n, p in state.items() if n not in tensors or tensors[n].shape != p.shape]
    if wrong or "epoch" not in meta:
        why = f"{wrong[0]} is missing or has another shape" if wrong else "it has no training state"
        raise UserError(
            f"resume: {path} is no checkpoint of this training: {why}; to start from its weights use --ckpt"
        )
    for name, parameter in state.items():
        parameter.set_data(ms.Tensor(np.array(tensors[name])))
    return meta

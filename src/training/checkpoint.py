"""All of a training run in one file: weights, average, optimizer, counters, and what they mean.

`meta` of a checkpoint: model (its name), architecture (as `to_dict` writes it), classes, preprocess (see
`Preprocess.as_dict`), bn_epsilon (without which the weights compute something else), step (updates done), steps
(updates an epoch), images (of one update), better ("raw" or "ema": the weights that scored higher), top1 (of the
better ones, percent), best (the run's highest top1 so far), rows (of metrics.csv), partial (sums of the epoch that is
under way), config (the effective configuration), data (what tells the training data from others), ranks, workers.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import mindspore as ms
import numpy as np

from src.errors import Diverged, UserError
from src.runtime import distributed
from src.runtime.collectives import broadcast_from_first
from src.training.step import TrainStep
from src.weights.ckpt import OPTIMIZER_PREFIX, read_ckpt, save_ckpt

logger = logging.getLogger(__name__)

NOT_STATE = ("learning_rate",)  # the table of rates is made anew from the configuration


def state_of(step: TrainStep) -> dict[str, ms.Parameter]:
    """Every parameter that training changes and that outlives an update, under the name it has in a checkpoint."""
    state = {parameter.name: parameter for parameter in step.network.get_parameters()}
    own = [parameter for parameter in step.optimizer.get_parameters() if parameter.name not in state]
    state |= {OPTIMIZER_PREFIX + p.name: p for p in own if p.name not in NOT_STATE}
    if step.loss_scale is not None:
        state |= {OPTIMIZER_PREFIX + p.name: p for p in step.loss_scale.get_parameters()}
    return state | {parameter.name: parameter for parameter in step.ema}


def save_state(step: TrainStep, meta: dict[str, Any], last: Path, *others: Path) -> None:
    """Write the same checkpoint to `others` and `last`, whose file until then stays as `generation_before(last)`.

    Raises:
        Diverged: a value is not finite; what is on disk stays.
        UserError: a folder is gone or cannot be written to; what is on disk stays.
    """
    tensors = {name: parameter.asnumpy() for name, parameter in state_of(step).items()}
    for name, value in tensors.items():
        if not np.isfinite(value).all():
            raise Diverged(f"{name} is not finite after step {meta['step']}; {last} was kept; try a lower --lr")
    for path in (*others, last):
        if not path.parent.is_dir():
            raise UserError(f"cannot write {path}: its folder is gone; training stops")
        save_ckpt(tensors, path, meta, generation_before(path) if path == last else None)


def generation_before(path: Path) -> Path:
    """Where the checkpoint is kept that `path` held before."""
    return path.with_name(f"previous-{path.name}")


def newest_state(path: Path) -> tuple[Path, dict[str, np.ndarray], dict[str, Any]] | None:
    """The newest whole checkpoint of those that are kept under `path`; None when there is none at all.

    Raises:
        UserError: there are some, but none is whole.
    """
    faults = []
    for candidate in (path, generation_before(path)):
        if not candidate.exists():
            continue
        try:
            found = candidate, *read_state(candidate)
        except UserError as error:
            faults.append(str(error))
            continue
        if faults:
            logger.warning("%s: going on from %s, which is whole", faults[0], candidate)
        return found
    if faults:
        raise UserError("resume: " + "; ".join(faults))
    return None


def read_state(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The tensors and `meta` of a checkpoint that training can go on from.

    Raises:
        UserError: no such file, a damaged one, or one of weights alone.
    """
    if not path.is_file():
        raise UserError(f"resume: there is no checkpoint {path}")
    tensors, meta = read_ckpt(path)
    if "step" not in meta:
        raise UserError(f"resume: {path} holds weights, but no state of a run; to start from them use --ckpt")
    return tensors, meta


def load_state(step: TrainStep, tensors: dict[str, np.ndarray], path: Path) -> None:
    """Put the tensors of a checkpoint back into `step`.

    Raises:
        UserError: they are not those of this training.
    """
    state = state_of(step)
    for name, parameter in state.items():
        if name not in tensors or tensors[name].shape != parameter.shape:
            fault = f"{name} is missing or has another shape"
            raise UserError(
                f"resume: {path} is no checkpoint of this training: {fault}; to start from its weights use --ckpt"
            )
    for name, parameter in state.items():
        parameter.set_data(ms.Tensor(np.array(tensors[name])))


def share_state(step: TrainStep) -> None:
    """Give every rank the state of rank 0."""
    if distributed.ranks() == 1:
        return
    state = state_of(step)
    data = broadcast_from_first(b"".join(p.asnumpy().tobytes() for p in state.values()))
    start = 0
    for parameter in state.values():
        value = parameter.asnumpy()
        parameter.set_data(ms.Tensor(np.frombuffer(data, value.dtype, value.size, start).reshape(value.shape).copy()))
        start += value.nbytes

"""The checkpoint of a run: weights, average, optimizer state and progress in one file.

| key of `meta`      | meaning                                                                            |
|--------------------|------------------------------------------------------------------------------------|
| task               | what was learned; missing in early checkpoints, which are of classification         |
| model, architecture| name and description of the network                                                |
| classes, preprocess| class names by index; how images become input (`Preprocess.as_dict`)               |
| data               | fingerprint of training and validation data                                        |
| device, ranks, workers | where the run was trained                                                      |
| config             | the effective configuration                                                        |
| bn_epsilon         | in early checkpoints only: BatchNorm's epsilon, which is in the architecture now   |
| step               | optimizer steps done                                                               |
| steps, images      | steps of an epoch; images of a step (the global batch)                             |
| rows, partial      | finished epochs (metrics.csv); sums of the current epoch                           |
| better, best       | "raw" or "ema", the weights that scored higher; highest score of the run           |
| top1               | score of the better weights at the last evaluation, under the key of the metric    |
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, NamedTuple

import mindspore as ms
import numpy as np

from src.errors import Diverged, UserError
from src.runtime import distributed
from src.runtime.collectives import broadcast_from_first
from src.training.step import TrainStep
from src.weights.ckpt import OPTIMIZER_PREFIX, read_ckpt, save_ckpt

logger = logging.getLogger(__name__)

REBUILT = ("learning_rate",)  # parameters that are not saved, because the configuration gives them again


class Checkpoint(NamedTuple):
    """A checkpoint that was read and is whole."""

    path: Path
    tensors: dict[str, np.ndarray]
    meta: dict[str, Any]


def state_of(step: TrainStep) -> dict[str, ms.Parameter]:
    """Return every parameter that training changes and that a resumed run needs, by its name in a checkpoint."""
    state = {parameter.name: parameter for parameter in step.network.get_parameters()}
    own = [parameter for parameter in step.optimizer.get_parameters() if parameter.name not in state]
    state |= {OPTIMIZER_PREFIX + p.name: p for p in own if p.name not in REBUILT}
    if step.loss_scale is not None:
        state |= {OPTIMIZER_PREFIX + p.name: p for p in step.loss_scale.get_parameters()}
    return state | {parameter.name: parameter for parameter in step.ema}


def save_state(step: TrainStep, meta: dict[str, Any], last: Path, *others: Path) -> None:
    """Write the same checkpoint to `others` and to `last`. The file that `last` replaces is kept beside it.

    Raises:
        Diverged: a value is not finite; files on disk are not touched.
        UserError: a folder is gone or cannot be written to; files on disk are not touched.
    """
    tensors = {name: parameter.asnumpy() for name, parameter in state_of(step).items()}
    for name, value in tensors.items():
        if not np.isfinite(value).all():
            raise Diverged(f"{name} is not finite after step {meta['step']}; {last} was kept; try a lower --lr")
    for path in (*others, last):
        if not path.parent.is_dir():
            raise UserError(f"cannot write {path}: its folder is gone; training stops")
        save_ckpt(tensors, path, meta, previous_generation(path) if path == last else None)


def previous_generation(path: Path) -> Path:
    """Return where the checkpoint is kept that `path` held before."""
    return path.with_name(f"previous-{path.name}")


def newest_checkpoint(path: Path) -> Checkpoint | None:
    """Read `path`, or its previous generation if it is damaged; None if neither exists.

    Raises:
        UserError: all that exist are damaged.
    """
    faults: list[str] = []
    for candidate in (path, previous_generation(path)):
        if not candidate.exists():
            continue
        try:
            found = read_checkpoint(candidate)
        except UserError as error:
            faults.append(str(error))
            continue
        if faults:
            logger.warning("%s: resuming from %s, which is whole", faults[0], candidate)
        return found
    if faults:
        raise UserError("resume: " + "; ".join(faults))
    return None


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint that training can resume from.

    Raises:
        UserError: the file is missing or damaged, or holds weights alone.
    """
    if not path.is_file():
        raise UserError(f"resume: there is no checkpoint {path}")
    tensors, meta = read_ckpt(path)
    if "step" not in meta:
        raise UserError(f"resume: {path} holds weights, but no state of a run; to start from them use --ckpt")
    return Checkpoint(path, tensors, meta)


def load_state(step: TrainStep, tensors: dict[str, np.ndarray], path: Path) -> None:
    """Set the parameters of `step` from the tensors of the checkpoint at `path`. Nothing changes unless all fit.

    Raises:
        UserError: a tensor is missing or has another shape.
    """
    state = state_of(step)
    for name, parameter in state.items():
        if name not in tensors or tensors[name].shape != parameter.shape:
            raise UserError(
                f"resume: {path} is not a checkpoint of this training: {name} is missing or has another shape; "
                "to start from its weights use --ckpt"
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

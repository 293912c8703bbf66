"""Weights in and out: MindSpore's .ckpt, timm's .safetensors, PyTorch's .pth.

Parameters are named as in timm but for BatchNorm, where MindSpore says gamma, beta, moving_mean and moving_variance.
`timm_names` is that one rule; tensors themselves are equal in both worlds.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import mindspore as ms
import numpy as np
from mindspore import nn
from safetensors.numpy import save_file

from src.errors import UserError
from src.runtime.files import atomic_write
from src.weights.names import HEAD, NOT_WEIGHTS, timm_names, weights_of
from src.weights.readers import WeightFile


@dataclass(frozen=True)
class LoadReport:
    """Names of the parameters that were loaded, of the file's tensors that were not used, and of new parameters."""

    loaded: tuple[str, ...]
    skipped: tuple[str, ...]
    replaced: tuple[str, ...]

    def __str__(self) -> str:
        parts = [f"{len(self.loaded)} tensors loaded"]
        parts += [f"{len(self.skipped)} skipped (such as {self.skipped[0]})"] if self.skipped else []
        parts += [f"{', '.join(self.replaced)} new"] if self.replaced else []
        return ", ".join(parts)


def load_weights(network: nn.Cell, file: WeightFile, *, replace_head: bool = False) -> LoadReport:
    """Set every parameter of `network` from `file`; with `replace_head` a classifier of another size stays as it is.

    Nothing is changed unless everything fits.

    Raises:
        UserError: a parameter is missing or has another shape, or the file holds parameters of another network.
    """
    values: dict[str, np.ndarray] = {}
    replaced: list[str] = []
    names = timm_names(network)
    parameters = weights_of(network)
    missing = [name for name, timm_name in names.items() if name not in file.tensors and timm_name not in file.tensors]
    if missing:
        raise UserError(
            f"{file.path} does not hold this network: {len(missing)} of its {len(names)} tensors are missing, "
            f"such as {missing[0]}; is --model right?"
        )
    for name, timm_name in names.items():
        value = file.tensors[name if name in file.tensors else timm_name]
        if value.shape == parameters[name].shape:
            values[name] = value
        elif name in HEAD and replace_head:
            replaced.append(name)
        elif name in HEAD:
            raise UserError(
                f"{file.path} has {value.shape[0]} classes, the network {parameters[name].shape[0]}; "
                "to train with a new classifier add --replace_head"
            )
        else:
            shapes = f"{name} is {list(value.shape)} there and {list(parameters[name].shape)} here"
            raise UserError(f"{file.path} does not hold this network: {shapes}; is --model right?")
    unused = sorted(set(file.tensors) - set(names) - set(names.values()))
    foreign = [name for name in unused if not _is_state(name, names)]
    if foreign:
        raise UserError(
            f"{file.path} holds another network: {len(foreign)} tensors have no place here, such as {foreign[0]}; "
            "is --model right?"
        )
    for name, value in values.items():
        parameters[name].set_data(ms.Tensor(value))
    return LoadReport(tuple(values), tuple(unused), tuple(replaced))


def save_safetensors(network: nn.Cell, path: Path) -> None:
    """Write all parameters under timm's names, so that timm and this project both load the file."""
    parameters = weights_of(network)
    tensors = {timm: parameters[name].asnumpy().copy() for name, timm in timm_names(network).items()}
    with atomic_write(path) as temporary:
        save_file(tensors, temporary, metadata={"format": "pt"})


def _is_state(name: str, names: dict[str, str]) -> bool:
    """Whether a tensor is no weight of its own: a counter, or an optimizer's or average's copy of a parameter."""
    return name.rsplit(".", 1)[-1] in NOT_WEIGHTS or any(name.endswith("." + known) for known in names)

"""Load the weights of a file into a network, and save those of a network for timm."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import mindspore as ms
import numpy as np
from mindspore import nn
from safetensors.numpy import save_file

from src.errors import UserError
from src.runtime.files import atomic_write
from src.weights.names import COUNTERS, HEAD, timm_names, weights_of
from src.weights.readers import WeightFile


@dataclass(frozen=True)
class LoadReport:
    """Names of the loaded parameters, of unused tensors of the file, and of parameters that keep their new values."""

    loaded: tuple[str, ...]
    skipped: tuple[str, ...]
    replaced: tuple[str, ...]

    def __str__(self) -> str:
        parts = [f"{len(self.loaded)} tensors loaded"]
        parts += [f"{len(self.skipped)} skipped (such as {self.skipped[0]})"] if self.skipped else []
        parts += [f"{', '.join(self.replaced)} new"] if self.replaced else []
        return ", ".join(parts)


def load_weights(network: nn.Cell, file: WeightFile, *, replace_head: bool = False) -> LoadReport:
    """Set every parameter of `network` from `file`. If something does not fit, nothing is changed.

    Args:
        replace_head: leave a classifier with another number of classes as it is.

    Raises:
        UserError: a parameter is missing or has another shape, or the file holds parameters of another network.
    """
    names = timm_names(network)
    parameters = weights_of(network)
    _check_complete(file, names)
    unused = _check_unused(file, names)
    values: dict[str, np.ndarray] = {}
    replaced: list[str] = []
    for name, timm_name in names.items():
        value = file.tensors[name if name in file.tensors else timm_name]
        shape = parameters[name].shape
        if value.shape == shape:
            values[name] = value
        elif name in HEAD and replace_head:
            replaced.append(name)
        elif name in HEAD:
            raise UserError(
                f"{file.path} has {value.shape[0]} classes, the network {shape[0]}; "
                "to train with a new classifier add --replace_head"
            )
        else:
            shapes = f"{name} is {list(value.shape)} there and {list(shape)} here"
            raise UserError(f"{file.path} does not hold this network: {shapes}; is --model right?")
    for name, value in values.items():
        parameters[name].set_data(ms.Tensor(value))
    return LoadReport(tuple(values), tuple(unused), tuple(replaced))


def save_safetensors(network: nn.Cell, path: Path) -> None:
    """Write all parameters under the names of timm, so that both timm and this project can load the file."""
    parameters = weights_of(network)
    tensors = {timm: parameters[name].asnumpy().copy() for name, timm in timm_names(network).items()}
    with atomic_write(path) as temporary:
        save_file(tensors, temporary, metadata={"format": "pt"})


def _check_complete(file: WeightFile, names: dict[str, str]) -> None:
    """Raise an error if parameters are missing in the file."""
    missing = [name for name, timm_name in names.items() if not {name, timm_name} & file.tensors.keys()]
    if missing:
        raise UserError(
            f"{file.path} does not hold this network: {len(missing)} of its {len(names)} tensors are missing, "
            f"such as {missing[0]}; is --model right?"
        )


def _check_unused(file: WeightFile, names: dict[str, str]) -> list[str]:
    """Return the tensors of the file that are not weights. Raise an error if any is a weight of another network."""
    unused = sorted(file.tensors.keys() - names.keys() - set(names.values()))
    foreign = [name for name in unused if not _is_training_state(name, names)]
    if foreign:
        raise UserError(
            f"{file.path} holds another network: {len(foreign)} of its tensors do not belong to this one, "
            f"such as {foreign[0]}; is --model right?"
        )
    return unused


def _is_training_state(name: str, names: dict[str, str]) -> bool:
    """Return whether a tensor is a counter, or an optimizer's copy of a parameter, such as `moment1.bn1.gamma`."""
    return name.rsplit(".", 1)[-1] in COUNTERS or any(name.endswith("." + parameter) for parameter in names)

"""Load the weights of a file into a network, and save those of a network under the names of another collection."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import mindspore as ms
import numpy as np
from mindspore import nn
from safetensors.numpy import save

from src.design.architecture_file import to_dict
from src.errors import UserError
from src.runtime.files import atomic_write
from src.weights.names import HEAD, timm_names, weights_of
from src.weights.readers import META_KEY, WeightFile
from src.weights.source import Source
from src.weights.sources import TIMM


@dataclass(frozen=True)
class LoadReport:
    """Names of the loaded parameters, of unused tensors of the file, and of parameters that keep their new values."""

    loaded: tuple[str, ...]
    skipped: tuple[str, ...]
    replaced: tuple[str, ...]
    source: str

    def __str__(self) -> str:
        parts = [f"{len(self.loaded)} tensors of {self.source} loaded"]
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
    names = _names_in(file.source, network)
    parameters = weights_of(network)
    _check_complete(file, names, network.architecture.name)
    unread = _check_unused(file, names, network.architecture.name)
    values: dict[str, np.ndarray] = {}
    replaced: list[str] = []
    for name, theirs in names.items():
        value, shape = file.tensors[theirs], parameters[name].shape
        is_head = name in HEAD and value.shape[1:] == shape[1:]
        if value.shape == file.source.shape(theirs, shape):
            values[name] = value.reshape(shape)
        elif is_head and replace_head:
            replaced.append(name)
        elif is_head:
            raise UserError(
                f"{file.path} has {value.shape[0]} classes, the network {shape[0]}; "
                "to train with a new classifier add --replace_head"
            )
        else:
            shapes = f"{theirs} is {list(value.shape)} there and {list(shape)} here"
            name = network.architecture.name
            raise UserError(f"{file.path} does not hold this network ({name}): {shapes}; is --model right?")
    for name, value in values.items():
        parameters[name].set_data(ms.Tensor(value))
    return LoadReport(tuple(values), (*unread, *file.others), tuple(replaced), file.source.title)


def named_tensors(network: nn.Cell, source: Source) -> dict[str, np.ndarray]:
    """Return all parameters by the names and with the shapes that they have in the files of a source."""
    parameters = weights_of(network)
    values = {theirs: parameters[name].asnumpy().copy() for name, theirs in _names_in(source, network).items()}
    return {name: value.reshape(source.shape(name, value.shape)) for name, value in values.items()}


def save_safetensors(
    network: nn.Cell, path: Path, source: Source = TIMM, meta: Mapping[str, object] | None = None
) -> None:
    """Write all parameters, by default under the names of timm, so that both timm and this project can load the file.

    Args:
        meta: what the file says about its network, as a checkpoint does; by default its architecture. It is in the
            metadata of the file, which timm does not read.
    """
    meta = {"architecture": to_dict(network.architecture)} if meta is None else meta
    metadata = {"format": "pt", META_KEY: json.dumps(meta)}
    with atomic_write(path) as temporary:
        # Not save_file, which reports a full disk by an error of its own.
        temporary.write_bytes(save(named_tensors(network, source), metadata=metadata))


def _names_in(source: Source, network: nn.Cell) -> dict[str, str]:
    """Return our name of each parameter -> its name in the files of a source."""
    theirs = source.names(network.architecture)
    return {name: theirs[timm] for name, timm in timm_names(network).items()}


def _check_complete(file: WeightFile, names: dict[str, str], network: str) -> None:
    """Raise an error if parameters are missing in the file."""
    missing = [theirs for theirs in names.values() if theirs not in file.tensors]
    if missing:
        raise UserError(
            f"{file.path} does not hold this network ({network}): {len(missing)} of its {len(names)} tensors "
            f"{'is' if len(missing) == 1 else 'are'} missing, such as {missing[0]}; is --model right?"
        )


def _check_unused(file: WeightFile, names: dict[str, str], network: str) -> list[str]:
    """Return the tensors of the file that its own network does not read. Raise an error if it holds any other."""
    unused = sorted(file.tensors.keys() - set(names.values()))
    foreign = [name for name in unused if not re.search(file.source.unread, name)]
    if foreign:
        raise UserError(
            f"{file.path} holds another network: {len(foreign)} of its tensors {'does' if len(foreign) == 1 else 'do'} "
            f"not belong to this one ({network}), such as {foreign[0]}; is --model right?"
        )
    return unused

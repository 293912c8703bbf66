"""Weights in and out: MindSpore's .ckpt, timm's .safetensors, PyTorch's .pth.

Parameters are named as in timm but for BatchNorm, where MindSpore says gamma, beta, moving_mean and moving_variance.
`timm_names` is that one rule; tensors themselves are equal in both worlds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import mindspore as ms
import numpy as np
from mindspore import nn
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from src.ckpt import EMA_PREFIX, STATE_PREFIXES, read_ckpt
from src.errors import UserError
from src.files import written_beside
from src.layers import BATCH_NORMS

HEAD = ("classifier.weight", "classifier.bias")
BATCH_NORM_TO_TIMM = {
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
NOT_WEIGHTS = ("calls", "num_batches_tracked", "global_step", "learning_rate", "epoch_num", "step_num", "loss_scale")


@dataclass(frozen=True)
class WeightFile:
    """The tensors of one network as a file holds them, and what a training checkpoint says about them.

    `meta` keys: see `src/training/checkpoint.py`; empty for published weights. `kind` is "ema" or "raw".
    """

    path: Path
    tensors: dict[str, np.ndarray]
    meta: dict[str, Any] = field(default_factory=dict)
    kind: Literal["raw", "ema"] = "raw"

    @property
    def num_classes(self) -> int:
        """Rows of the classifier.

        Raises:
            UserError: there is no classifier in the file.
        """
        head = self.tensors.get(HEAD[0])
        if head is None or head.ndim != 2:
            raise UserError(f"{self.path} holds no {HEAD[0]}: it is not a classifier of this project or of timm")
        return head.shape[0]


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


def timm_names(network: nn.Cell) -> dict[str, str]:
    """MindSpore name -> timm name, for every parameter (BatchNorm's running statistics included)."""
    names = {}
    for _, cell in network.cells_and_names():
        for key, parameter in cell._params.items():
            stem = parameter.name.removesuffix(key)
            if key not in NOT_WEIGHTS:
                names[parameter.name] = stem + (
                    BATCH_NORM_TO_TIMM.get(key, key) if isinstance(cell, BATCH_NORMS) else key
                )
    return names


def weights_of(network: nn.Cell) -> dict[str, ms.Parameter]:
    """Name -> parameter, for all that a file of weights holds (the counters of random Cells are not among them)."""
    names = timm_names(network)
    return {parameter.name: parameter for parameter in network.get_parameters() if parameter.name in names}


def read_weights(path: str | Path, prefer: Literal["auto", "raw", "ema"] = "auto") -> WeightFile:
    """Read a file of weights, whatever its kind; `prefer` chooses among those of a training checkpoint.

    Raises:
        UserError: no such file, unknown suffix, damaged or foreign file, values that are not finite, no EMA in it.
    """
    path = Path(path)
    readers = {".ckpt": read_ckpt, ".safetensors": _read_safetensors, ".pth": _read_pth, ".pt": _read_pth}
    if not path.is_file():
        raise UserError(f"there is no weight file {path}")
    if path.suffix not in readers:
        raise UserError(f"{path}: unknown kind of weights {path.suffix!r}; expected {', '.join(readers)}")
    if path.stat().st_size == 0:
        raise UserError(f"{path} is empty; fetch or write it again")
    tensors, meta = readers[path.suffix](path)
    averaged = {name.removeprefix(EMA_PREFIX): value for name, value in tensors.items() if name.startswith(EMA_PREFIX)}
    if prefer == "ema" and not averaged:
        raise UserError(f"{path} holds no averaged weights; use --weights raw")
    kind = meta.get("better", "ema" if averaged else "raw") if prefer == "auto" else prefer
    if kind == "ema":
        tensors = tensors | averaged
    tensors = {
        name: value.astype(np.float32)
        for name, value in tensors.items()
        if value.dtype.kind == "f" and not name.startswith(STATE_PREFIXES)
    }
    for name, value in tensors.items():
        if not np.isfinite(value).all():
            raise UserError(f"{path} is damaged: {name} holds values that are not finite")
    return WeightFile(path, tensors, meta, kind)


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
    with written_beside(path) as temporary:
        save_file(tensors, temporary, metadata={"format": "pt"})


def _read_safetensors(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    try:
        return load_file(path), {}
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise UserError(f"{path} is damaged or is no safetensors file ({error}); fetch it again") from None


def _read_pth(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    try:
        import torch
    except ImportError:
        raise UserError(
            f"{path}: reading {path.suffix} needs PyTorch; `pip install torch`, or take .safetensors"
        ) from None
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a bad file
        raise UserError(f"{path} is damaged or no plain PyTorch state ({str(error).splitlines()[0]})") from None
    for key in ("state_dict_ema", "model_ema", "state_dict", "model"):
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
            break
    if not isinstance(content, dict) or not all(isinstance(value, torch.Tensor) for value in content.values()):
        raise UserError(f"{path} holds no state dict of tensors")
    return {name.removeprefix("module."): value.float().numpy() for name, value in content.items()}, {}


def _is_state(name: str, names: dict[str, str]) -> bool:
    """Whether a tensor is no weight of its own: a counter, or an optimizer's or average's copy of a parameter."""
    return name.rsplit(".", 1)[-1] in NOT_WEIGHTS or any(name.endswith("." + known) for known in names)

"""Readers of weight files: MindSpore's .ckpt, .safetensors, and PyTorch's .pth."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from src.errors import UserError
from src.weights.ckpt import EMA_PREFIX, is_training_state, read_ckpt
from src.weights.names import HEAD

Kind = Literal["raw", "ema"]
STATE_DICT_KEYS = ("state_dict_ema", "model_ema", "state_dict", "model")  # of timm's checkpoints, best first


@dataclass(frozen=True)
class WeightFile:
    """The float32 tensors of one network from a file, and the `meta` of a training checkpoint.

    `meta` is empty for published weights; `src/training/checkpoint.py` describes its keys. `kind` is "ema" for averaged
    weights.
    """

    path: Path
    tensors: dict[str, np.ndarray]
    meta: dict[str, Any] = field(default_factory=dict)
    kind: Kind = "raw"

    @property
    def num_classes(self) -> int:
        """Return the number of rows of the classifier.

        Raises:
            UserError: the file holds no classifier.
        """
        head = self.tensors.get(HEAD[0])
        if head is None or head.ndim != 2:
            raise UserError(f"{self.path} holds no {HEAD[0]}: it is not a classifier of this project or of timm")
        return head.shape[0]


def read_weights(path: str | Path, prefer: Literal["auto", "raw", "ema"] = "auto") -> WeightFile:
    """Read a weight file of any supported format.

    Args:
        prefer: which weights of a training checkpoint to take; `auto`: those with the better score.

    Raises:
        UserError: the file is missing, damaged, of an unknown format, without EMA, or holds values that are not finite.
    """
    path = Path(path)
    readers = {".ckpt": read_ckpt, ".safetensors": _read_safetensors, ".pth": _read_pth, ".pt": _read_pth}
    if not path.is_file():
        raise UserError(f"there is no weight file {path}")
    if path.suffix not in readers:
        raise UserError(f"{path}: unknown kind of weights {path.suffix!r}; expected {', '.join(readers)}")
    if path.stat().st_size == 0:
        raise UserError(f"{path} is empty; fetch or write it again")
    stored, meta = readers[path.suffix](path)
    averaged = {name.removeprefix(EMA_PREFIX): value for name, value in stored.items() if name.startswith(EMA_PREFIX)}
    if prefer == "ema" and not averaged:
        raise UserError(f"{path} holds no averaged weights; use --weights raw")
    kind = meta.get("better", "ema" if averaged else "raw") if prefer == "auto" else prefer
    chosen = stored | averaged if kind == "ema" else stored
    tensors = {
        name: value.astype(np.float32)
        for name, value in chosen.items()
        if value.dtype.kind == "f" and not is_training_state(name)
    }
    for name, value in tensors.items():
        if not np.isfinite(value).all():
            raise UserError(f"{path} is damaged: {name} holds values that are not finite")
    return WeightFile(path, tensors, meta, cast(Kind, kind))


def _read_safetensors(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    try:
        return load_file(path), {}
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise UserError(f"{path} is damaged or is not a safetensors file ({error}); fetch it again") from None


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
        reason = str(error).splitlines()[0]
        raise UserError(f"{path} is damaged or is not a plain PyTorch state dict ({reason})") from None
    for key in STATE_DICT_KEYS:
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
            break
    if not isinstance(content, dict) or not all(isinstance(value, torch.Tensor) for value in content.values()):
        raise UserError(f"{path} holds no state dict of tensors")
    return {name.removeprefix("module."): value.float().numpy() for name, value in content.items()}, {}

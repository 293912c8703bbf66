"""Read weight files: MindSpore's .ckpt, .safetensors and PyTorch's .pth."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from src.errors import UserError
from src.weights.ckpt import EMA_PREFIX, STATE_PREFIXES, read_ckpt
from src.weights.names import HEAD


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

"""MindSpore checkpoint files that know what they must hold, so that no damage to them goes unnoticed.

MindSpore reads a file that ends between two tensors, or in which a bit has changed, without a word. Ours begin with a
record `meta`, a JSON text with the caller's values and a manifest (type and shape of every tensor by name), and end
with the SHA-256 of all before it, dressed as a field that readers of the format pass over: MindSpore loads them too.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError
from mindspore.train.checkpoint_pb2 import Checkpoint

from src.errors import UserError
from src.runtime.files import atomic_write

META = "meta"
STATE_PREFIXES = EMA_PREFIX, OPTIMIZER_PREFIX = ("ema.", "optimizer.")  # of what training keeps beside the weights
DIGEST_FIELD = b"\xa2\x06\x20"  # protobuf: field 100, 32 bytes
NAMES = ("Float16", "Float32", "Float64", "Int8", "Int16", "Int32", "Int64", "UInt8", "Bool")
TYPES = {name.lower(): name for name in NAMES}  # NumPy name -> MindSpore's; records of other types are notes
DIGEST_SIZE = len(DIGEST_FIELD) + 32


def save_ckpt(tensors: dict[str, np.ndarray], path: Path, meta: dict[str, Any], previous: Path | None = None) -> None:
    """Write tensors and `meta` (plain values); the file replaced is kept as `previous`.

    Raises:
        UserError: the file cannot be written; what was there is as it was.
    """
    text = json.dumps({"meta": meta, "manifest": _manifest(tensors)}).encode()
    body = _serialized({META: np.frombuffer(text, np.uint8)} | tensors)
    with atomic_write(path, previous) as temporary:
        temporary.write_bytes(body + DIGEST_FIELD + hashlib.sha256(body).digest())


def read_ckpt(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """All tensors of a MindSpore checkpoint, and its `meta` (empty for a file that others wrote).

    Raises:
        UserError: the file cannot be read, is damaged, or is no checkpoint.
    """
    try:
        data = path.read_bytes()
        tensors = _parse(data)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    except (DecodeError, ValueError):
        raise UserError(f"{path} is damaged or is no MindSpore checkpoint; take another copy") from None
    body, end = data[:-DIGEST_SIZE], data[-DIGEST_SIZE:]
    whole = end == DIGEST_FIELD + hashlib.sha256(body).digest()
    ours = META in tensors or end.startswith(DIGEST_FIELD) or any(name.startswith(STATE_PREFIXES) for name in tensors)
    if ours and not whole:
        raise UserError(f"{path} is damaged: it is not what was written; take another copy")
    if not whole:
        return tensors, {}
    content = json.loads(tensors.pop(META).tobytes())
    if content["manifest"] != _manifest(tensors):
        raise UserError(f"{path} does not hold the tensors of its manifest; take another copy")
    return tensors, content["meta"]


def _serialized(tensors: dict[str, np.ndarray]) -> bytes:
    """The bytes that MindSpore writes for these tensors."""
    message = Checkpoint()
    for name, value in tensors.items():
        record = message.value.add(tag=name).tensor
        record.dims.extend(value.shape)
        record.tensor_type = TYPES[value.dtype.name]
        record.tensor_content = value.tobytes()
    return message.SerializeToString()


def _parse(data: bytes) -> dict[str, np.ndarray]:
    """The tensors of a file. (MindSpore's own loader trusts the sizes it reads: a changed bit can end the process.)"""
    message = Checkpoint()
    message.ParseFromString(data)
    if not message.value:
        raise ValueError("there are no tensors")
    stored = {record.tag: record.tensor for record in message.value if record.tensor.tensor_type in TYPES.values()}
    return {
        name: np.frombuffer(tensor.tensor_content, tensor.tensor_type.lower()).reshape(tuple(tensor.dims))
        for name, tensor in stored.items()
    }


def _manifest(tensors: dict[str, np.ndarray]) -> dict[str, list]:
    return {name: [value.dtype.name, list(value.shape)] for name, value in tensors.items()}

"""MindSpore checkpoint files that detect every damage.

MindSpore reads a file that ends between two tensors, or in which a bit has changed, without an error. Our files are:

    record `meta`    JSON: {"meta": the caller's values, "manifest": {tensor name: [type, shape]}}
    records          the tensors: name, type, shape, values; MindSpore's own format, a protobuf `Checkpoint`
    digest           SHA-256 of all bytes before it, as the unknown protobuf field 100

Other readers skip the unknown field, so MindSpore loads these files too.
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
EMA_PREFIX, OPTIMIZER_PREFIX = "ema.", "optimizer."
STATE_PREFIXES = (EMA_PREFIX, OPTIMIZER_PREFIX)  # names of the tensors that training keeps beside the weights
DIGEST_FIELD = b"\xa2\x06\x20"  # protobuf: field 100, 32 bytes
DIGEST_SIZE = len(DIGEST_FIELD) + 32
TYPES = {  # NumPy's name -> MindSpore's; records of other types are not tensors
    "float16": "Float16",
    "float32": "Float32",
    "float64": "Float64",
    "int8": "Int8",
    "int16": "Int16",
    "int32": "Int32",
    "int64": "Int64",
    "uint8": "UInt8",
    "bool": "Bool",
}


def save_ckpt(tensors: dict[str, np.ndarray], path: Path, meta: dict[str, Any], previous: Path | None = None) -> None:
    """Write tensors and `meta` (plain values). The replaced file is kept as `previous`.

    Raises:
        UserError: the file cannot be written; the earlier files are unchanged.
    """
    text = json.dumps({"meta": meta, "manifest": _manifest(tensors)}).encode()
    body = _serialize({META: np.frombuffer(text, np.uint8)} | tensors)
    with atomic_write(path, previous) as temporary:
        temporary.write_bytes(body + DIGEST_FIELD + hashlib.sha256(body).digest())


def read_ckpt(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return all tensors of a MindSpore checkpoint and its `meta`, which is empty for files of other programs.

    Raises:
        UserError: the file cannot be read, is damaged, or is not a checkpoint.
    """
    try:
        data = path.read_bytes()
        tensors = _parse(data)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    except (DecodeError, ValueError):
        raise UserError(f"{path} is damaged or is not a MindSpore checkpoint; take another copy") from None
    body, end = data[:-DIGEST_SIZE], data[-DIGEST_SIZE:]
    is_complete = end == DIGEST_FIELD + hashlib.sha256(body).digest()
    is_ours = META in tensors or end.startswith(DIGEST_FIELD) or any(map(is_training_state, tensors))
    if is_ours and not is_complete:
        raise UserError(f"{path} is damaged: its checksum differs; take another copy")
    if not is_complete:
        return tensors, {}
    content = json.loads(tensors.pop(META).tobytes())
    if content["manifest"] != _manifest(tensors):
        raise UserError(f"{path} does not hold the tensors of its manifest; take another copy")
    return tensors, content["meta"]


def is_training_state(name: str) -> bool:
    """Return whether a tensor is one that training keeps beside the weights."""
    return name.startswith(STATE_PREFIXES)


def _serialize(tensors: dict[str, np.ndarray]) -> bytes:
    """Return the bytes that MindSpore writes for these tensors."""
    message = Checkpoint()
    for name, value in tensors.items():
        record = message.value.add(tag=name).tensor
        record.dims.extend(value.shape)
        record.tensor_type = TYPES[value.dtype.name]
        record.tensor_content = value.tobytes()
    return message.SerializeToString()


def _parse(data: bytes) -> dict[str, np.ndarray]:
    """Return the tensors of a file.

    MindSpore's own loader trusts the sizes in the file, so that one changed bit can crash the process.
    """
    message = Checkpoint()
    message.ParseFromString(data)
    if not message.value:
        raise ValueError("the file holds no tensors")
    stored = {record.tag: record.tensor for record in message.value if record.tensor.tensor_type in TYPES.values()}
    return {
        name: np.frombuffer(tensor.tensor_content, tensor.tensor_type.lower()).reshape(tuple(tensor.dims))
        for name, tensor in stored.items()
    }


def _manifest(tensors: dict[str, np.ndarray]) -> dict[str, list]:
    return {name: [value.dtype.name, list(value.shape)] for name, value in tensors.items()}

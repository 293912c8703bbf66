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
import zlib
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
from google.protobuf.message import DecodeError
from mindspore.train.checkpoint_pb2 import Checkpoint

from src.errors import UserError
from src.runtime.files import atomic_write
from src.weights.formats import begins_as
from src.weights.meta import check_meta

META = "meta"
EMA_PREFIX, OPTIMIZER_PREFIX = "ema.", "optimizer."
DIGEST_FIELD = b"\xa2\x06\x20"  # protobuf: field 100, 32 bytes
DIGEST_SIZE = len(DIGEST_FIELD) + 32
TYPES = {  # NumPy's name -> MindSpore's
    "float16": "Float16",
    "float32": "Float32",
    "float64": "Float64",
    "int8": "Int8",
    "int16": "Int16",
    "int32": "Int32",
    "int64": "Int64",
    "uint8": "UInt8",
    "uint16": "UInt16",
    "uint32": "UInt32",
    "uint64": "UInt64",
    "bool": "Bool",
    "bfloat16": "BFloat16",
}
DTYPES = {theirs: np.dtype(name if name != "bfloat16" else ml_dtypes.bfloat16) for name, theirs in TYPES.items()}
TEXT = "str"  # the type of a record that is no tensor
CRC_MARK, CRC_SIZE = b"crc_num", len(b"crc_num") + 10  # MindSpore's `crc_check=True`: a CRC-32 after all records


def save_ckpt(tensors: dict[str, np.ndarray], path: Path, meta: dict[str, Any], previous: Path | None = None) -> None:
    """Write tensors and `meta` (plain values). The replaced file is kept as `previous`.

    Raises:
        UserError: the file cannot be written; the earlier files are unchanged.
    """
    text = json.dumps({"meta": meta, "manifest": _manifest(tensors)}).encode()
    body = _serialize({META: np.frombuffer(text, np.uint8)} | tensors)
    with atomic_write(path, previous) as temporary:
        temporary.write_bytes(body + DIGEST_FIELD + hashlib.sha256(body).digest())


def save_plain_ckpt(tensors: dict[str, np.ndarray], path: Path) -> None:
    """Write a checkpoint as MindSpore does, for programs that expect the tensors alone.

    Raises:
        UserError: the file cannot be written.
    """
    with atomic_write(path) as temporary:
        temporary.write_bytes(_serialize(tensors))


def read_ckpt(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return all tensors of a MindSpore checkpoint and its `meta`, which is empty for files of other programs.

    Raises:
        UserError: the file cannot be read, is damaged, or is not a checkpoint.
    """
    try:
        data = path.read_bytes()
        if not data:
            raise UserError(f"{path} is empty; take another copy")
        tensors = _parse(data)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    except UnknownRecord as error:
        raise UserError(f"{path} holds {error}, which this project cannot read") from None
    except UserError:
        raise
    except (DecodeError, ValueError):
        reason = "is damaged" if begins_as("mindspore", data) else "is not a MindSpore checkpoint"
        raise UserError(f"{path} {reason}; take another copy") from None
    body, end = data[:-DIGEST_SIZE], data[-DIGEST_SIZE:]
    is_complete = end == DIGEST_FIELD + hashlib.sha256(body).digest()
    is_ours = META in tensors or end.startswith(DIGEST_FIELD)
    if is_ours and not is_complete:
        raise UserError(f"{path} is damaged: its checksum differs; take another copy")
    if not is_complete:
        return tensors, {}
    try:
        content = json.loads(tensors.pop(META).tobytes())
        manifest, meta = content["manifest"], content["meta"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UserError(f"{path} does not describe its tensors; take another copy") from None
    if manifest != _manifest(tensors):
        raise UserError(f"{path} does not hold the tensors of its manifest; take another copy")
    return tensors, check_meta(meta, path)


class UnknownRecord(Exception):
    """A record that is sound and of a kind that is not known here."""


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
    message.ParseFromString(_without_crc(data))
    if not message.value:
        raise ValueError("the file holds no tensors")
    tensors: dict[str, np.ndarray] = {}
    for record in message.value:
        name, kind, dims = record.tag, record.tensor.tensor_type, tuple(record.tensor.dims)
        if not isinstance(name, str) or not isinstance(kind, str):  # protobuf in C returns bytes that are not UTF-8
            raise ValueError("a name is not UTF-8")
        if kind == TEXT:
            continue
        if kind not in DTYPES:
            raise UnknownRecord(f"{name} of the type {kind!r}")
        if name in tensors:
            raise UnknownRecord(f"{name} twice")
        values = np.frombuffer(record.tensor.tensor_content, DTYPES[kind])
        # MindSpore before 2.0 writes the shape of a single number as (0).
        tensors[name] = values.reshape(() if dims == (0,) and len(values) == 1 else dims)
    return tensors


def _without_crc(data: bytes) -> bytes:
    """Return the records of a file that MindSpore may have written with a checksum."""
    body, end = data[:-CRC_SIZE], data[-CRC_SIZE:]
    if not end.startswith(CRC_MARK):
        return data
    if int.from_bytes(end[len(CRC_MARK) :], "big") != zlib.crc32(body):
        raise ValueError("the checksum differs")
    return body


def _manifest(tensors: dict[str, np.ndarray]) -> dict[str, list]:
    return {name: [value.dtype.name, list(value.shape)] for name, value in tensors.items()}

"""PyTorch's files (.pth, .pt, .pth.tar, .bin) without PyTorch.

A file of `torch.save` is a pickle and, beside it, the bytes of its tensors: a zip archive since PyTorch 1.6, one stream
before. A pickle calls whatever it names. The unpickler here knows only the functions below, which make dictionaries and
tensors. All else that a training script stores, such as its command line, becomes an `Unknown` that does nothing, so no
code of a file runs. The Python unpickler is used, because a damaged number makes the one in C allocate gigabytes.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

from src.errors import UserError
from src.weights.formats import ROOT_PICKLE, ZIP, root_pickles

MAGIC = 0x1950A86A20F9469CFC6C  # the first pickle of a file before PyTorch 1.6
OPTIMIZER_KEYS = {"state", "param_groups"}  # of the state dict of every optimizer in PyTorch

DTYPES: dict[str, np.dtype] = {
    "float64": np.dtype(np.float64),
    "float32": np.dtype(np.float32),
    "float16": np.dtype(np.float16),
    "bfloat16": np.dtype(ml_dtypes.bfloat16),
    "float8_e4m3fn": np.dtype(ml_dtypes.float8_e4m3fn),
    "float8_e5m2": np.dtype(ml_dtypes.float8_e5m2),
    "int64": np.dtype(np.int64),
    "int32": np.dtype(np.int32),
    "int16": np.dtype(np.int16),
    "int8": np.dtype(np.int8),
    "uint8": np.dtype(np.uint8),
    "bool": np.dtype(np.bool_),
}
STORAGES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "UntypedStorage": "uint8",
    "BoolStorage": "bool",
}


@dataclass(frozen=True)
class Storage:
    """A block of `count` numbers of one type, whose bytes are found by `key`, from element `start` on."""

    key: str
    dtype: np.dtype
    count: int
    start: int = 0


@dataclass(frozen=True)
class StoredTensor:
    """A view of a storage: the tensor's first element, its shape, and the steps along its axes, in elements."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: np.dtype

    def read(self, content: bytes) -> np.ndarray:
        """Return the values, from the bytes of the storage.

        Raises:
            ValueError: the tensor reaches beyond its storage.
        """
        storage, width = self.storage, self.dtype.itemsize
        first = storage.start * storage.dtype.itemsize
        stored = np.frombuffer(content, np.uint8, storage.count * storage.dtype.itemsize, first)
        values = stored.view(f"u{width}")[self.offset :]  # NumPy takes steps only in its own types
        last = sum((size - 1) * step for size, step in zip(self.shape, self.strides, strict=True))
        if min((*self.shape, *self.strides, self.offset, 0)) < 0 or (0 not in self.shape and last >= len(values)):
            raise ValueError("a tensor reaches beyond its storage")
        steps = [step * width for step in self.strides]
        return np.lib.stride_tricks.as_strided(values, self.shape, steps).copy().view(self.dtype)


class Unknown(dict):
    """The place of an object that is neither a tensor nor plain data. It takes every content and does nothing."""

    def __new__(cls, *_: Any, **__: Any) -> Unknown:
        return super().__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__()

    def __call__(self, *_: Any, **__: Any) -> Unknown:
        return Unknown()

    __hash__ = object.__hash__  # type: ignore[assignment]

    def __setstate__(self, state: Any) -> None:
        pass

    def append(self, item: Any) -> None:
        """Ignore an item, as of a list."""

    extend = add = append


class UnknownTensor(Unknown):
    """The place of a tensor that is not an array of numbers, such as a quantized or a sparse one."""


class Unpickler(pickle._Unpickler):
    """An unpickler that calls nothing but the functions of `KNOWN`."""

    def find_class(self, module: str, name: str) -> Any:
        if module in ("torch", "torch.storage") and name in STORAGES:
            return DTYPES[STORAGES[name]]
        if module == "torch" and name in DTYPES:
            return DTYPES[name]
        is_tensor = module.startswith("torch") and "_rebuild_" in name
        return KNOWN.get((module, name), UnknownTensor if is_tensor else Unknown)

    def persistent_load(self, identity: Any) -> Any:
        _, dtype, key, _, count, *view = identity
        if not isinstance(dtype, np.dtype):
            return Unknown()  # of a type that is not for weights, such as quantized numbers
        if view and view[0]:  # before PyTorch 1.6, a part of a storage: (key, first element, count)
            return Storage(str(key), dtype, int(view[0][2]), int(view[0][1]))
        return Storage(str(key), dtype, int(count))


def read_pth(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return all tensors in the dictionaries of a file, and an empty `meta`.

    The name of a tensor is its keys with slashes between, such as `state_dict/conv_stem.weight`. States of optimizers
    are left out, and so are lists, numbers and all else that is no tensor.

    Raises:
        UserError: the file cannot be read, is damaged, or holds no state dict.
    """
    try:
        data = path.read_bytes()
        content, read_storage = _read_archive(data) if data.startswith(ZIP) else _read_stream(data)
        tensors = {name: tensor.read(read_storage(tensor.storage)) for name, tensor in _tensors(content, path)}
    except UserError:
        raise
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from None
    except Exception:  # a damaged pickle raises errors of any kind
        raise UserError(f"{path} is damaged; fetch it again") from None
    if not any(value.ndim > 1 for value in tensors.values()):
        raise UserError(f"{path} holds {_kind(content)}, but no state dict; save the network's state_dict() instead")
    return tensors, {}


def _read_archive(data: bytes) -> tuple[Any, Callable[[Storage], bytes]]:
    """Return the object in a zip archive, and a function that returns the bytes of a storage."""
    archive = zipfile.ZipFile(io.BytesIO(data))
    (pickled,) = root_pickles(archive.namelist())
    folder = pickled.removesuffix(ROOT_PICKLE)

    def read(name: str) -> bytes:
        entry = archive.getinfo(folder + name)
        if entry.file_size > len(data):
            raise ValueError("PyTorch does not compress its tensors")
        return archive.read(entry)

    def read_storage(storage: Storage) -> bytes:
        content = read(f"data/{storage.key}")
        return np.frombuffer(content, f"u{storage.dtype.itemsize}").byteswap().tobytes() if is_big_endian else content

    is_big_endian = f"{folder}byteorder" in archive.namelist() and read("byteorder") == b"big"
    return Unpickler(io.BytesIO(read(ROOT_PICKLE)), encoding="utf-8").load(), read_storage


def _read_stream(data: bytes) -> tuple[Any, Callable[[Storage], bytes]]:
    """Return the object in a file from before PyTorch 1.6, and a function that returns the bytes of a storage.

    Five pickles follow each other: a magic number, the version, the machine, the object, and the keys of the storages.
    Then come the storages: 8 bytes with the number of elements, and the elements. All numbers are little-endian.
    """
    stream = io.BytesIO(data)
    dtypes: dict[str, np.dtype] = {}

    class WithTypes(Unpickler):
        def persistent_load(self, identity: Any) -> Any:
            storage = super().persistent_load(identity)
            if isinstance(storage, Storage):
                dtypes[storage.key] = storage.dtype
            return storage

    magic, _, _, content, keys = (WithTypes(stream, encoding="utf-8").load() for _ in range(5))
    if magic != MAGIC:
        raise ValueError("the file does not begin with PyTorch's magic number")
    contents = {}
    for key in keys:
        count = int.from_bytes(stream.read(8), "little")
        contents[key] = stream.read(count * dtypes[key].itemsize)
    return content, lambda storage: contents[storage.key]


def _tensors(content: Any, path: Path, prefix: str = "") -> Iterator[tuple[str, StoredTensor]]:
    """Give the name and place of each tensor in nested dictionaries."""
    if not isinstance(content, dict) or content.keys() >= OPTIMIZER_KEYS:
        return
    for key, value in content.items():
        if isinstance(value, StoredTensor):
            yield f"{prefix}{key}", value
        elif isinstance(value, UnknownTensor):
            raise UserError(f"{path}: {prefix}{key} is no plain tensor, but a quantized or sparse one, for example")
        else:
            yield from _tensors(value, path, f"{prefix}{key}/")


def _kind(content: Any) -> str:
    """Return what a file holds in the place of a dictionary of tensors."""
    if isinstance(content, StoredTensor):
        return "a single tensor"
    if isinstance(content, list | tuple):
        return "a list"
    values = content.values() if isinstance(content, dict) else ()
    if isinstance(content, Unknown) or any(isinstance(value, Unknown) for value in values):
        return "objects of Python, such as a whole network or NumPy arrays"
    return "a dictionary without matrices" if isinstance(content, dict) else "a number or a text"


def _tensor(storage: Any, offset: int, shape: tuple, strides: tuple, *_: Any) -> StoredTensor | Unknown:
    """Return a tensor, in the place of torch._utils._rebuild_tensor_v2."""
    if not isinstance(storage, Storage):
        return UnknownTensor()
    return StoredTensor(storage, offset, tuple(shape), tuple(strides), storage.dtype)


def _typed_tensor(
    storage: Any, offset: int, shape: tuple, strides: tuple, _: Any, __: Any, dtype: Any, *___: Any
) -> StoredTensor | Unknown:
    """Return a tensor in a storage of bytes, in the place of torch._utils._rebuild_tensor_v3."""
    if not (isinstance(storage, Storage) and isinstance(dtype, np.dtype)):
        return UnknownTensor()
    return StoredTensor(storage, offset, tuple(shape), tuple(strides), dtype)


def _parameter(data: StoredTensor, *_: Any) -> StoredTensor:
    return data


def _of_subclass(rebuild: Callable, _: Any, arguments: tuple, *__: Any) -> Any:
    """Return a tensor of a subclass, in the place of torch._tensor._rebuild_from_type_v2."""
    return rebuild(*arguments)


KNOWN: dict[tuple[str, str], Callable] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch", "Size"): tuple,
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_tensor_v3"): _typed_tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): _parameter,
    ("torch._tensor", "_rebuild_from_type_v2"): _of_subclass,
}

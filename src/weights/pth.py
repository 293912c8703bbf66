"""PyTorch's files (.pth, .pt, .pth.tar) without PyTorch.

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
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

from src.errors import UserError
from src.weights.ckpt import EMA_PREFIX

LEGACY_MAGIC = pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2)  # the first pickle of a file before PyTorch 1.6
AVERAGED_KEYS = ("state_dict_ema", "model_ema", "ema_state_dict", "ema")  # of timm, torchvision and others
RAW_KEYS = ("state_dict", "model")

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


class Unpickler(pickle._Unpickler):
    """An unpickler that calls nothing but the functions of `KNOWN`."""

    def find_class(self, module: str, name: str) -> Any:
        if module in ("torch", "torch.storage") and name in STORAGES:
            return DTYPES[STORAGES[name]]
        if module == "torch" and name in DTYPES:
            return DTYPES[name]
        return KNOWN.get((module, name), Unknown)

    def persistent_load(self, identity: Any) -> Any:
        _, dtype, key, _, count, *view = identity
        if not isinstance(dtype, np.dtype):
            return Unknown()  # of a type that is not for weights, such as quantized numbers
        if view and view[0]:  # before PyTorch 1.6, a part of a storage: (key, first element, count)
            return Storage(str(key), dtype, int(view[0][2]), int(view[0][1]))
        return Storage(str(key), dtype, int(count))


def read_pth(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return the tensors of a state dict, or of a training checkpoint that holds one, and an empty `meta`.

    Averaged weights have the prefix `ema.`, as in our checkpoints.

    Raises:
        UserError: the file cannot be read, is damaged, or holds no state dict.
    """
    try:
        data = path.read_bytes()
        content, storages = _read_archive(data) if zipfile.is_zipfile(io.BytesIO(data)) else _read_stream(data)
        return {name: tensor.read(storages(tensor.storage.key)) for name, tensor in _state(content, path).items()}, {}
    except UserError:
        raise
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from None
    except Exception:  # a damaged pickle raises errors of any kind
        is_begun = data.startswith((b"PK", LEGACY_MAGIC))
        reason = "is damaged; fetch it again" if is_begun else "is not a file of PyTorch's torch.save"
        raise UserError(f"{path} {reason}") from None


def is_pth(path: Path) -> bool:
    """Return whether a file begins as those of `torch.save` do, whatever its suffix.

    Raises:
        UserError: the file cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return file.read(len(LEGACY_MAGIC)).startswith((b"PK\x03\x04", LEGACY_MAGIC))
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from None


def _read_archive(data: bytes) -> tuple[Any, Callable[[str], bytes]]:
    """Return the object in a zip archive, and a function from the key of a storage to its bytes."""
    archive = zipfile.ZipFile(io.BytesIO(data))
    (pickled,) = [name for name in archive.namelist() if name.split("/")[1:] == ["data.pkl"]]
    folder = pickled.removesuffix("data.pkl")

    def read(name: str) -> bytes:
        entry = archive.getinfo(folder + name)
        if entry.file_size > len(data):
            raise ValueError("PyTorch does not compress its tensors")
        return archive.read(entry)

    if f"{folder}byteorder" in archive.namelist() and read("byteorder") != b"little":
        raise ValueError("the bytes of numbers are in the order of another machine")
    return Unpickler(io.BytesIO(read("data.pkl")), encoding="utf-8").load(), lambda key: read(f"data/{key}")


def _read_stream(data: bytes) -> tuple[Any, Callable[[str], bytes]]:
    """Return the object in a file from before PyTorch 1.6, and a function from the key of a storage to its bytes.

    Five pickles follow each other: a magic number, the version, the machine, the object, and the keys of the storages.
    Then come the storages: 8 bytes with the number of elements, and the elements.
    """
    stream = io.BytesIO(data)
    dtypes: dict[str, np.dtype] = {}

    class WithTypes(Unpickler):
        def persistent_load(self, identity: Any) -> Any:
            storage = super().persistent_load(identity)
            if isinstance(storage, Storage):
                dtypes[storage.key] = storage.dtype
            return storage

    if not data.startswith(LEGACY_MAGIC):
        raise ValueError("the file does not begin with PyTorch's magic number")
    _, _, _, content, keys = (WithTypes(stream, encoding="utf-8").load() for _ in range(5))
    contents = {}
    for key in keys:
        count = int.from_bytes(stream.read(8), "little")
        contents[key] = stream.read(count * dtypes[key].itemsize)
    return content, contents.__getitem__


def _state(content: Any, path: Path) -> dict[str, StoredTensor]:
    """Return the tensors of a state dict, and of averaged ones with a prefix."""
    if not _is_plain(content):
        raise UserError(f"{path} holds an object of Python, such as a whole network; save its state_dict() instead")
    raw, averaged = _state_under(RAW_KEYS, content, path), _state_under(AVERAGED_KEYS, content, path)
    if raw is None and averaged is None:
        raw = content
    state = {**(raw or {}), **{EMA_PREFIX + str(name): value for name, value in (averaged or {}).items()}}
    for name, value in state.items():
        if not isinstance(value, StoredTensor):
            keys = ", ".join((*RAW_KEYS, *AVERAGED_KEYS))
            raise UserError(f"{path}: {name} is no plain tensor; expected a state dict, alone or under one of {keys}")
    return {str(name): value for name, value in state.items()}


def _state_under(keys: tuple[str, ...], content: dict, path: Path) -> dict | None:
    """Return the state dict under one of the keys; None if there is none.

    Raises:
        UserError: there are several, of which the user must choose one.
    """
    found = [key for key in keys if _is_plain(content.get(key)) and content[key]]
    if len(found) > 1:
        raise UserError(f"{path} holds state dicts under {' and '.join(found)}; save one of them in a file of its own")
    return content[found[0]] if found else None


def _is_plain(content: Any) -> bool:
    return isinstance(content, dict) and not isinstance(content, Unknown)


def _tensor(storage: Any, offset: int, shape: tuple, strides: tuple, *_: Any) -> StoredTensor | Unknown:
    """Return a tensor, in the place of torch._utils._rebuild_tensor_v2."""
    if not isinstance(storage, Storage):
        return Unknown()
    return StoredTensor(storage, offset, tuple(shape), tuple(strides), storage.dtype)


def _typed_tensor(
    storage: Any, offset: int, shape: tuple, strides: tuple, _: Any, __: Any, dtype: Any, *___: Any
) -> StoredTensor | Unknown:
    """Return a tensor in a storage of bytes, in the place of torch._utils._rebuild_tensor_v3."""
    if not (isinstance(storage, Storage) and isinstance(dtype, np.dtype)):
        return Unknown()
    return StoredTensor(storage, offset, tuple(shape), tuple(strides), dtype)


def _parameter(data: StoredTensor, *_: Any) -> StoredTensor:
    return data


KNOWN: dict[tuple[str, str], Callable] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch", "Size"): tuple,
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_tensor_v3"): _typed_tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
}

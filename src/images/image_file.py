"""An image by its path: a file of its own, or a part of a larger one."""

from __future__ import annotations

import os
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np


class PackedPath(str):
    """`length` bytes of `container`, from `offset` on; as text, a path that tells users which image it is."""

    container: str
    name: str
    offset: int
    length: int

    def __new__(cls, container: str, name: str, offset: int, length: int) -> PackedPath:
        path = super().__new__(cls, os.path.join(container, name))
        path.container, path.name, path.offset, path.length = container, name, offset, length
        return path


def read_image(path: str | Path) -> np.ndarray:
    """The encoded bytes: uint8 (n,), read-only for a packed image.

    Raises:
        OSError: the file cannot be read, or ends before the image does.
    """
    if not isinstance(path, PackedPath):
        return np.fromfile(path, np.uint8)
    file = _opened(path.container)  # held until the bytes are there: two threads may both open it, and one is forgotten
    content = os.pread(file.fileno(), path.length, path.offset)
    if len(content) < path.length:
        raise OSError(f"{path.container} ends before its image {path}")
    return np.frombuffer(content, np.uint8)


def image_size(path: str | Path) -> int:
    """Encoded bytes; 0 for a file that cannot be reached."""
    if isinstance(path, PackedPath):
        return path.length
    try:
        return os.path.getsize(path)
    except OSError:
        return 0


def image_source(path: str | Path) -> str | Path | BytesIO:
    """What Pillow can open.

    Raises:
        OSError: as `read_image`.
    """
    return BytesIO(read_image(path).tobytes()) if isinstance(path, PackedPath) else path


@lru_cache(maxsize=256)
def _opened(container: str) -> BinaryIO:
    return open(container, "rb", buffering=0)  # noqa: SIM115 - stays open as long as it is remembered

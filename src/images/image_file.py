"""Encoded images: in files of their own, or packed into a larger file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, TypeAlias

import numpy as np


class ImageError(ValueError):
    """An image that cannot be decoded. The text is the reason, after `FILE: ` where the file is known."""


@dataclass(frozen=True)
class PackedImage:
    """An image inside a larger file: `length` bytes of `container`, from `offset` on.

    Its text is `container/name`, which shows users both files.
    """

    container: str
    name: str
    offset: int
    length: int

    def __str__(self) -> str:
        return os.path.join(self.container, self.name)


ImageRef: TypeAlias = str | Path | PackedImage  # a path, or a part of a larger file


def read_image(image: ImageRef) -> np.ndarray:
    """Return the encoded bytes: uint8 (n,), read-only for a packed image.

    Raises:
        OSError: the file cannot be read, or ends before the image does.
    """
    if not isinstance(image, PackedImage):
        return np.fromfile(image, np.uint8)
    # Keep a reference: the cache may drop the file and thereby close it while we read.
    file = _open_container(image.container)
    content = os.pread(file.fileno(), image.length, image.offset)
    if len(content) < image.length:
        raise OSError(f"{image.container} ends before its image {image}")
    return np.frombuffer(content, np.uint8)


def image_size(image: ImageRef) -> int:
    """Return the number of encoded bytes, or 0 for a file that cannot be read."""
    if isinstance(image, PackedImage):
        return image.length
    try:
        return os.path.getsize(image)
    except OSError:
        return 0


@lru_cache(maxsize=256)
def _open_container(path: str) -> BinaryIO:
    return open(path, "rb", buffering=0)  # noqa: SIM115 - the cache keeps it open

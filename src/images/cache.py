"""Encoded images that stay in memory once they were read, for sets that fit and disks that are far."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from src.images.faults import Check
from src.images.folder import ImageFolder
from src.images.image_file import image_size
from src.images.records import RecordSet

CACHE_LIMIT = 256 << 20  # bytes that `auto` keeps at most


class CachedImages:
    """An `ImageFolder` or `RecordSet` whose `read` goes to the disk once for each image."""

    def __init__(self, folder: ImageFolder | RecordSet) -> None:
        self.root: Path = folder.root
        self.classes: tuple[str, ...] = folder.classes
        self.files: Sequence[str] = folder.files
        self.labels: np.ndarray = folder.labels
        self.folder = folder
        self.held: dict[int, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self.folder)

    def read(self, index: int) -> np.ndarray:
        """The encoded bytes of an image: uint8 (n,)."""
        if (content := self.held.get(index)) is None:
            content = self.held[index] = self.folder.read(index)
        return content

    def faults(self, check: Check = "auto", workers: int = 1) -> list[str]:
        """As those of the folder behind."""
        return self.folder.faults(check, workers)


def cached(
    folder: ImageFolder | RecordSet, cache: Literal["auto", "on", "off"] = "auto"
) -> ImageFolder | RecordSet | CachedImages:
    """The folder with a cache, if wanted; `auto`: if its files have less than `CACHE_LIMIT` bytes."""
    keep = cache == "on" or (cache == "auto" and _is_small(folder.files))
    return CachedImages(folder) if keep else folder


def _is_small(files: Sequence[str]) -> bool:
    left = CACHE_LIMIT
    for path in files:
        left -= image_size(path)
        if left <= 0:
            return False
    return True

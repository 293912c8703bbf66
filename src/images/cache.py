"""Keep encoded images in memory, for data sets that fit and disks that are slow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from src.images.faults import Check
from src.images.image_file import ImageRef, image_size
from src.images.image_set import ImageSet

CACHE_LIMIT = 256 << 20  # bytes that `auto` keeps at most


class CachedImages:
    """An `ImageSet` that reads each image of another one only once."""

    def __init__(self, images: ImageSet) -> None:
        self.root = images.root
        self.classes = images.classes
        self.files: Sequence[ImageRef] = images.files
        self.labels = images.labels
        self.images = images
        self.contents: dict[int, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self.images)

    def read(self, index: int) -> np.ndarray:
        if (content := self.contents.get(index)) is None:
            content = self.contents[index] = self.images.read(index)
        return content

    def faults(self, check: Check = "auto", workers: int = 1) -> list[str]:
        return self.images.faults(check, workers)


def cached(images: ImageSet, cache: Literal["auto", "on", "off"] = "auto") -> ImageSet:
    """Return the images, with a cache if wanted; `auto`: if they have less than `CACHE_LIMIT` bytes together."""
    keep = cache == "on" or (cache == "auto" and is_small(images.files))
    return CachedImages(images) if keep else images


def is_small(files: Sequence[ImageRef]) -> bool:
    """Return whether images have less than `CACHE_LIMIT` bytes together."""
    total = 0
    for image in files:
        total += image_size(image)
        if total >= CACHE_LIMIT:
            return False
    return True

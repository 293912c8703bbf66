"""The interface of a split of a data set, whether its images lie in a folder, in records or in memory."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from src.images.faults import Check
from src.images.image_file import ImageRef, PackedImage, image_size


class ImageSet(Protocol):
    """Labeled images: `files[i]` belongs to class `labels[i]`, whose name is `classes[labels[i]]`."""

    @property
    def root(self) -> Path:
        """Folder of the split."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names by index."""

    @property
    def files(self) -> Sequence[ImageRef]:
        """The images by index: paths, or parts of larger files."""

    @property
    def labels(self) -> np.ndarray:
        """Class indices: int32 (images,)."""

    def __len__(self) -> int:
        """Return the number of images."""

    def read(self, index: int) -> np.ndarray:
        """Return the encoded bytes of an image: uint8 (n,).

        Raises:
            OSError: the file cannot be read.
        """

    def faults(self, check: Check = "auto", workers: int = 1) -> list[str]:
        """Return `FILE: FAULT` for each bad file. Show a progress bar if that takes more than a second."""


def name_in_split(images: ImageSet, image: ImageRef) -> str:
    """Return the path of an image relative to its split, such as `cat/1.jpg`, also for a packed image."""
    return image.name if isinstance(image, PackedImage) else str(image)[len(str(images.root)) + len(os.sep) :]


def fingerprint(images: ImageSet) -> str:
    """Return the SHA-256 of labels, names and sizes of all images.

    A folder and the set that was converted from it without re-encoding have the same fingerprint.
    """
    digest = hashlib.sha256()
    for image, label in zip(images.files, images.labels.tolist(), strict=True):
        name = name_in_split(images, image)
        digest.update(f"{label} {name} {image_size(image)}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()

"""A folder of images, one sub-folder for each class.

The class of an image is its sub-folder; class k is the k-th sub-folder in sorted order.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from src.errors import UserError
from src.images.decoding import decode_error, quick_decode_error
from src.images.faults import Check, find_faults, is_full_check
from src.images.image_file import read_image

IMAGE_SUFFIXES = (".jpeg", ".jpg", ".png", ".bmp", ".tif", ".tiff")  # formats that both MindData and Pillow decode
LAYOUT = "expected DIR/train/CLASS/*.jpg and DIR/val/CLASS/*.jpg"


@dataclass(frozen=True)
class ImageFolder:
    """An `ImageSet` in a folder of class folders."""

    root: Path
    classes: tuple[str, ...]
    files: tuple[str, ...]
    labels: np.ndarray
    non_images: tuple[str, ...] = ()  # files with other suffixes than those of images

    def __len__(self) -> int:
        return len(self.files)

    @classmethod
    def scan(cls, root: Path) -> ImageFolder:
        """List a folder of class folders. Hidden files are left out.

        Raises:
            UserError: the folder does not exist, holds no class folders, or a class folder holds no images.
        """
        if not root.is_dir():
            raise UserError(f"there is no folder {root}; {LAYOUT}")
        classes = sorted(entry.name for entry in os.scandir(root) if entry.is_dir() and not entry.name.startswith("."))
        if not classes:
            raise UserError(f"{root} holds no class folders; {LAYOUT}")
        files: list[str] = []
        labels: list[int] = []
        non_images: list[str] = []
        for label, name in enumerate(classes):
            found, others = list_images(root / name)
            if not found:
                raise UserError(
                    f"class folder {root / name} holds no images ({' '.join(IMAGE_SUFFIXES)}); fill or remove it"
                )
            files += found
            labels += [label] * len(found)
            non_images += others
        return cls(root, tuple(classes), tuple(files), np.array(labels, np.int32), tuple(non_images))

    def read(self, index: int) -> np.ndarray:
        return read_image(self.files[index])

    def faults(self, check: Check = "auto", workers: int = 1) -> list[str]:
        if check == "off":
            return []
        inspect = decode_error if is_full_check(check, len(self)) else quick_decode_error
        undecodable = find_faults(self.files, inspect, workers, f"check {self.root.name}")
        return undecodable + [
            f"{path}: not an image by its name ({' '.join(IMAGE_SUFFIXES)})" for path in self.non_images
        ]


def list_images(folder: Path) -> tuple[list[str], list[str]]:
    """Return the images and the other files of a folder and its sub-folders, each in sorted order.

    Hidden files and folders are left out.
    """
    images: list[str] = []
    others: list[str] = []
    for parent, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                (images if name.lower().endswith(IMAGE_SUFFIXES) else others).append(os.path.join(parent, name))
    return images, others

"""A folder of images, one sub-folder a class: what is in it, and whether it can be trained on.

The class of an image is its folder; class k is the k-th folder name in sorted order.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from src.errors import UserError
from src.images.digits import write_digits
from src.images.faults import FULL_CHECK_LIMIT, Check, bad_files, decode_fault, ends_fault, find_faults, shortened
from src.images.image_file import PackedPath, image_size, read_image
from src.images.preprocess import IMAGE_SUFFIXES
from src.images.records import is_converted, open_records

LAYOUT = "expected DIR/train/CLASS/*.jpg and DIR/val/CLASS/*.jpg"


@dataclass(frozen=True)
class ImageFolder:
    """`files[i]` belongs to class `labels[i]`, whose name is `classes[labels[i]]`."""

    root: Path
    classes: tuple[str, ...]
    files: tuple[str, ...]
    labels: np.ndarray
    non_images: tuple[str, ...] = ()  # files that are no images by their name

    def __len__(self) -> int:
        return len(self.files)

    @classmethod
    def scan(cls, root: Path) -> ImageFolder:
        """List a folder of class folders. Hidden files are passed over.

        Raises:
            UserError: no such folder, no class folders, or a class without images.
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
        """The encoded bytes of an image: uint8 (n,).

        Raises:
            OSError: the file cannot be read.
        """
        return read_image(self.files[index])

    def faults(self, check: Check = "auto", workers: int = 1) -> list[str]:
        """One line a bad file, `path: what is wrong`, in order; a progress bar for more than a second's work."""
        if check == "off":
            return []
        full = check == "full" or (check == "auto" and len(self) <= FULL_CHECK_LIMIT)
        found = find_faults(self.files, decode_fault if full else ends_fault, workers, f"check {self.root.name}")
        return found + [f"{path}: not an image by its name ({' '.join(IMAGE_SUFFIXES)})" for path in self.non_images]


def fingerprint(folder: ImageFolder) -> str:
    """SHA-256 over labels, names and sizes of all images: the same for a folder and the set converted from it."""
    digest = hashlib.sha256()
    start = len(str(folder.root)) + len(os.sep)
    for path, label in zip(folder.files, folder.labels.tolist(), strict=True):
        name = path.name if isinstance(path, PackedPath) else path[start:]
        digest.update(f"{label} {name} {image_size(path)}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def open_split(data_path: str | Path, split: Literal["train", "val"]) -> ImageFolder:
    """DATA_PATH/train or DATA_PATH/val; of a converted data set a `RecordSet`, which does the same.

    Raises:
        UserError: as `ImageFolder.scan` or `open_records`.
    """
    root = Path(data_path).expanduser()
    if not root.is_dir():
        raise UserError(f"data_path {root}: there is no such folder; {LAYOUT}")
    return open_records(root, split) if is_converted(root) else ImageFolder.scan(root / split)


def check_classes(train: ImageFolder, val: ImageFolder) -> None:
    """Both splits must have the same classes.

    Raises:
        UserError: naming the classes that only one of them has.
    """
    for here, there in ((train, val), (val, train)):
        missing = sorted(set(here.classes) - set(there.classes))
        if missing:
            raise UserError(
                f"{there.root} has no class folder {shortened(missing)} that {here.root} has; the classes must agree"
            )


def check_images(folders: Iterable[ImageFolder], check: Check = "auto", workers: int = 1) -> None:
    """Refuse folders with files that training would stumble over.

    Raises:
        UserError: the first few bad files by path, and how many there are.
    """
    faults = [fault for folder in folders for fault in folder.faults(check, workers)]
    if faults:
        raise UserError(bad_files(faults))


def list_images(folder: Path) -> tuple[list[str], list[str]]:
    """Images and other files of a class folder, sub-folders included, each in sorted order."""
    images, others = [], []
    for parent, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                (images if name.lower().endswith(IMAGE_SUFFIXES) else others).append(os.path.join(parent, name))
    return images, others


HOW_TO_GET_DATA = (
    "give images with --data_path DIR, a folder with train/CLASS/ and val/CLASS/ (ImageNet's layout, "
    "https://image-net.org), or `--data_path digits` for the embedded digits"
)


def resolve_data_path(data_path: str | None) -> Path:
    """The folder behind `--data_path`; `digits` stands for the embedded set, written at its first use.

    Raises:
        UserError: no data path, or digits without scikit-learn.
    """
    if data_path is None:
        raise UserError(f"data_path is missing: {HOW_TO_GET_DATA}")
    return write_digits() if data_path == "digits" else Path(data_path).expanduser()

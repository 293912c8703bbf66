"""A folder of images, one sub-folder a class: what is in it, and whether it can be trained on.

The class of an image is its folder; class k is the k-th folder name in sorted order.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image
from tqdm import tqdm

from src.errors import UserError
from src.image_file import PackedPath, image_size, image_source, read_image
from src.preprocess import IMAGE_SUFFIXES

Check = Literal["auto", "full", "quick", "off"]

LAYOUT = "expected DIR/train/CLASS/*.jpg and DIR/val/CLASS/*.jpg"
FORMATS = ("JPEG", "MPO", "PNG", "BMP", "TIFF")  # by content; MindData decodes no others, whatever their names
FULL_CHECK_LIMIT = 20_000  # images; decoding more of them takes minutes, so `auto` then reads their ends only
SHOWN = 5  # faults named in an error line


@dataclass(frozen=True)
class ImageFolder:
    """`files[i]` belongs to class `labels[i]`, whose name is `classes[labels[i]]`."""

    root: Path
    classes: tuple[str, ...]
    files: tuple[str, ...]
    labels: np.ndarray
    strangers: tuple[str, ...] = ()  # files that are no images by their name

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
        strangers: list[str] = []
        for label, name in enumerate(classes):
            found, others = list_images(root / name)
            if not found:
                raise UserError(
                    f"class folder {root / name} holds no images ({' '.join(IMAGE_SUFFIXES)}); fill or remove it"
                )
            files += found
            labels += [label] * len(found)
            strangers += others
        return cls(root, tuple(classes), tuple(files), np.array(labels, np.int32), tuple(strangers))

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
        return found + [f"{path}: not an image by its name ({' '.join(IMAGE_SUFFIXES)})" for path in self.strangers]


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
    from src.mindrecord import is_converted, open_records  # which uses this module

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
                f"{there.root} has no class folder {_shorten(missing)} that {here.root} has; the classes must agree"
            )


def check_images(folders: Iterable[ImageFolder], check: Check = "auto", workers: int = 1) -> None:
    """Refuse folders with files that training would stumble over.

    Raises:
        UserError: the first few bad files by path, and how many there are.
    """
    faults = [fault for folder in folders for fault in folder.faults(check, workers)]
    if faults:
        raise UserError(_bad_files(faults))


def find_faults(
    files: Sequence[str], inspect: Callable[[str], str], workers: int = 1, title: str = "check"
) -> list[str]:
    """`path: what is wrong` for each file that `inspect` finds fault with."""
    with ThreadPoolExecutor(workers) as pool:
        results = tqdm(pool.map(inspect, files), title, len(files), unit="img", delay=1, leave=False, disable=None)
        return [f"{path}: {fault}" for path, fault in zip(files, results, strict=True) if fault]


@contextlib.contextmanager
def bad_files_named(files: Sequence[str], workers: int = 1) -> Iterator[None]:
    """Where reading `files` fails inside MindData, say which of them are bad instead of showing its stack.

    Raises:
        UserError: the bad files. What is no fault of theirs goes on as it is.
    """
    try:
        yield
    except RuntimeError:
        if faults := find_faults(files, decode_fault, workers, "look for the bad file"):
            raise UserError(_bad_files(faults)) from None
        raise


def decode_fault(path: str) -> str:
    """What is wrong with an image file, found by decoding it; an empty string for a good one."""
    try:
        with Image.open(image_source(path)) as image:
            image.convert("RGB")
            if image.format not in FORMATS or image.mode == "F":
                return f"{image.format} of mode {image.mode} inside; expected JPEG, PNG, BMP or TIFF of whole numbers"
    except Exception as error:  # Pillow's readers raise anything for a damaged file
        return "empty file" if _is_empty(path) else _sentence(error)
    return ""


def ends_fault(path: str) -> str:
    """The same from a file's first and last bytes; a file that does not look whole is decoded to be sure."""
    try:
        with open(path, "rb") as file:
            head = file.read(8)
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 64))
            tail = file.read()
    except OSError as error:
        return _sentence(error)
    return "" if looks_whole(head, tail) else decode_fault(path)


def looks_whole(head: bytes, tail: bytes) -> bool:
    """Whether the first 8 and the last 64 bytes are those of a complete JPEG or PNG (other kinds: no)."""
    jpeg = head.startswith(b"\xff\xd8\xff") and tail.rstrip(b"\0").endswith(b"\xff\xd9")
    return jpeg or (head == b"\x89PNG\r\n\x1a\n" and b"IEND" in tail)


def list_images(folder: Path) -> tuple[list[str], list[str]]:
    """Images and other files of a class folder, sub-folders included, each in sorted order."""
    images, others = [], []
    for parent, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                (images if name.lower().endswith(IMAGE_SUFFIXES) else others).append(os.path.join(parent, name))
    return images, others


def _bad_files(faults: list[str]) -> str:
    return (
        f"{len(faults)} bad file{'s' * (len(faults) > 1)}: {_shorten(faults, '; ')}; remove or replace "
        "(`python check_dataset.py --data_path DIR` lists all)"
    )


def _is_empty(path: str) -> bool:
    return os.path.exists(path) and os.path.getsize(path) == 0


def _sentence(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return "not an image" if text.startswith("cannot identify image") else text


def _shorten(names: list[str], separator: str = ", ") -> str:
    more = f"{separator}and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return separator.join(names[:SHOWN]) + more

"""A folder of images, one sub-folder for each class, and the one rule by which folders are listed.

Images are found by their names, in sub-folders too, files before sub-folders, in the order of their bytes. Links are
followed, but not back into a folder that holds them. Hidden files and those of desktops are ignored, and other files
are named. The C++ program lists by the same rule (`ascend310_infer/src/files.cc`).
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from src.errors import UserError
from src.images.decoding import decode_error, quick_decode_error
from src.images.faults import Check, find_faults, is_full_check, name_first
from src.images.image_file import read_image
from src.runtime.texts import utf8_name

logger = logging.getLogger(__name__)

IMAGE_SUFFIXES = (".jpeg", ".jpg", ".png", ".bmp", ".tif", ".tiff")
NO_IMAGE = f"not an image file ({' '.join(IMAGE_SUFFIXES)})"
SYSTEM_NAMES = ("thumbs.db", "desktop.ini", "__macosx", "@eadir")  # Windows, Windows, archives of macOS, Synology
LAYOUT = "expected DIR/train/CLASS/*.jpg and DIR/val/CLASS/*.jpg"

Identity = tuple[int, int]  # device and inode


@dataclass(frozen=True)
class Listing:
    """Paths below a folder: images, other files, and links back to a folder that holds them."""

    images: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    loops: list[str] = field(default_factory=list)

    def log_left_out(self) -> None:
        """Warn of other files and of loops, if there are any."""
        for paths, reason in ((self.others, NO_IMAGE), (self.loops, "a link to a folder that holds it")):
            if paths:
                logger.warning("left out: %s: %s", name_first(paths), reason)


@dataclass(frozen=True)
class ImageFolder:
    """An `ImageSet` in a folder of class folders."""

    root: Path
    classes: tuple[str, ...]
    files: tuple[str, ...]
    labels: np.ndarray
    non_images: tuple[str, ...] = ()  # files in class folders with other suffixes than those of images

    def __len__(self) -> int:
        return len(self.files)

    @classmethod
    def scan(cls, root: Path) -> ImageFolder:
        """List a folder of class folders; class k is the k-th of them.

        Raises:
            UserError: a folder is missing or cannot be read, or there is no class folder, or one without images.
        """
        if not root.is_dir():
            raise UserError(f"there is no folder {root}; {LAYOUT}")
        entries = _entries(str(root))
        names = [entry.name for entry in entries if stat.S_ISDIR(_mode(entry))]
        beside = [entry.path for entry in entries if not stat.S_ISDIR(_mode(entry))]
        if not names:
            raise UserError(f"{root} holds no class folders; {LAYOUT}")
        listings = [list_images(root / name, above=(_identity(str(root)),)) for name in names]
        for name, listing in zip(names, listings, strict=True):
            if not listing.images:
                raise UserError(
                    f"class folder {root / name} holds no images ({' '.join(IMAGE_SUFFIXES)}); fill or remove it"
                )
        Listing(loops=_joined(listing.loops for listing in listings)).log_left_out()
        if beside:
            logger.warning("left out: %s: beside the class folders", name_first(beside))
        return cls(
            root,
            tuple(map(utf8_name, names)),
            tuple(_joined(listing.images for listing in listings)),
            np.repeat(np.arange(len(names), dtype=np.int32), [len(listing.images) for listing in listings]),
            tuple(_joined(listing.others for listing in listings)),
        )

    def read(self, index: int) -> np.ndarray:
        return read_image(self.files[index])

    def faults(self, check: Check = "auto", workers: int = 1) -> list[str]:
        if check == "off":
            return []
        inspect = decode_error if is_full_check(check, len(self)) else quick_decode_error
        undecodable = find_faults(self.files, inspect, workers, f"check {self.root.name}")
        return undecodable + [f"{path}: {NO_IMAGE}" for path in self.non_images]


def list_images(folder: Path, above: tuple[Identity, ...] = ()) -> Listing:
    """List a folder and its sub-folders.

    Args:
        above: the folders that hold it.

    Raises:
        UserError: a folder cannot be read.
    """
    listing = Listing()
    waiting = [(str(folder), above)]
    while waiting:
        path, above = waiting.pop()
        identity = _identity(path)
        if identity in above:
            listing.loops.append(path)
            continue
        folders = []
        for entry in _entries(path):
            mode = _mode(entry)
            if stat.S_ISDIR(mode):
                folders.append(entry.path)
            elif stat.S_ISREG(mode) and entry.name.lower().endswith(IMAGE_SUFFIXES):
                listing.images.append(entry.path)
            else:
                listing.others.append(entry.path)
        waiting += [(sub, (*above, identity)) for sub in reversed(folders)]
    return listing


def _entries(folder: str) -> list[os.DirEntry]:
    """Return what is in a folder, in the order of its bytes, without what is hidden.

    Raises:
        UserError: the folder cannot be read.
    """
    try:
        with os.scandir(folder) as found:
            entries = [e for e in found if not e.name.startswith(".") and e.name.lower() not in SYSTEM_NAMES]
    except OSError as error:
        raise UserError(f"cannot read folder {folder}: {error.strerror}") from None
    return sorted(entries, key=lambda entry: os.fsencode(entry.name))


def _mode(entry: os.DirEntry) -> int:
    """Return the kind of an entry, as in `st_mode`; that of its target for a link. A broken link is a regular file."""
    if not entry.is_symlink():  # without a call of the system
        return stat.S_IFDIR if entry.is_dir() else stat.S_IFREG if entry.is_file() else 0
    try:
        return os.stat(entry.path).st_mode
    except OSError:
        return stat.S_IFREG  # so that it is named as an image that cannot be read


def _identity(folder: str) -> Identity:
    """Return what is the same for all paths to a folder.

    Raises:
        UserError: the folder is missing or cannot be read.
    """
    try:
        found = os.stat(folder)
    except OSError as error:
        raise UserError(f"cannot read folder {folder}: {error.strerror}") from None
    return found.st_dev, found.st_ino


def _joined(lists: Iterable[list[str]]) -> list[str]:
    return [path for paths in lists for path in paths]

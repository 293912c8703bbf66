"""Images that a command line names, as files or folders, and which of them can be read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from src.errors import UserError
from src.images.decoding import read_rgb
from src.images.folder import list_images
from src.images.image_file import ImageError

MOST_NAMED = 5  # unreadable images in an error line


class Inputs(NamedTuple):
    """The images that can be read, with their sizes as stored, and the faults of the others.

    `files`: paths, as they were given; `sizes`: width and height in pixels; `faults`: `FILE: FAULT`.
    """

    files: list[str]
    sizes: list[tuple[int, int]]
    faults: list[str]

    def check(self) -> None:
        """Name the images that cannot be read, after the others are done.

        Raises:
            UserError: there are some.
        """
        if self.faults:
            count = len(self.files) + len(self.faults)
            named = "; ".join(self.faults[:MOST_NAMED])
            raise UserError(f"{len(self.faults)} of {count} images cannot be read: {named}")


def find_images(paths: tuple[Path, ...], example: str) -> list[str]:
    """Return files as they are given, and all images below folders.

    Args:
        paths: what the user named.
        example: a command that names an image.

    Raises:
        UserError: no paths are given, a path does not exist, or a folder holds no images.
    """
    if not paths:
        raise UserError(f"no images: name some, or folders of them, such as `{example}`")
    files: list[str] = []
    for path in paths:
        if path.is_file():
            files.append(str(path))
            continue
        if not path.is_dir():  # a pipe would be waited for
            raise UserError(f"there is no image or folder {path}")
        listing = list_images(path)
        listing.log_left_out()
        if not listing.images:
            raise UserError(f"folder {path} holds no images")
        files += listing.images
    return files


def read_sizes(files: Sequence[str]) -> Inputs:
    """Decode every image, and return which of them can be read."""
    found = Inputs([], [], [])
    for file in files:
        try:
            size = read_rgb(file).size
        except ImageError as error:
            found.faults.append(str(error))
        else:
            found.files.append(file)
            found.sizes.append(size)
    return found

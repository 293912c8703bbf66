"""Find images in a MindRecord file by their bytes.

MindRecord's API does not give the position of a field in the file. A search does not depend on the file's format.
"""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

START_BYTES = 64


@dataclass(frozen=True)
class ImageMark:
    """First bytes, length and SHA-256 of an image, which identify it in a file."""

    start: bytes
    length: int
    digest: bytes

    @classmethod
    def of(cls, image: bytes) -> ImageMark:
        """Return the mark of an encoded image."""
        return cls(image[:START_BYTES], len(image), hashlib.sha256(image).digest())


def locate(shard: Path, marks: Iterable[ImageMark]) -> list[int]:
    """Return the offset of each image in `shard`, where the images are in the order of `marks`.

    Raises:
        RuntimeError: an image is missing or changed.
    """
    offsets: list[int] = []
    with open(shard, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        end = 0
        for mark in marks:
            offset = content.find(mark.start, end)
            while offset >= 0 and hashlib.sha256(content[offset : offset + mark.length]).digest() != mark.digest:
                offset = content.find(mark.start, offset + 1)
            if offset < 0:
                raise RuntimeError(f"{shard}: image {len(offsets)} is missing or was changed by the writer")
            offsets.append(offset)
            end = offset + mark.length
    return offsets

"""What is wrong with image files: found by decoding them, or, much faster, from their ends."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

from PIL import Image
from tqdm import tqdm

from src.errors import UserError
from src.images.image_file import image_source

Check = Literal["auto", "full", "quick", "off"]

FORMATS = ("JPEG", "MPO", "PNG", "BMP", "TIFF")  # by content; MindData decodes no others, whatever their names
FULL_CHECK_LIMIT = 20_000  # images; decoding more of them takes minutes, so `auto` then reads their ends only
SHOWN = 5  # faults named in an error line


def find_faults(
    files: Sequence[str], inspect: Callable[[str], str], workers: int = 1, title: str = "check"
) -> list[str]:
    """`path: what is wrong` for each file that `inspect` finds fault with."""
    with ThreadPoolExecutor(workers) as pool:
        results = tqdm(pool.map(inspect, files), title, len(files), unit="img", delay=1, leave=False, disable=None)
        return [f"{path}: {fault}" for path, fault in zip(files, results, strict=True) if fault]


@contextlib.contextmanager
def explain_bad_files(files: Sequence[str], workers: int = 1) -> Iterator[None]:
    """Where reading `files` fails inside MindData, say which of them are bad instead of showing its stack.

    Raises:
        UserError: the bad files. What is no fault of theirs goes on as it is.
    """
    try:
        yield
    except RuntimeError:
        if faults := find_faults(files, decode_fault, workers, "look for the bad file"):
            raise UserError(bad_files(faults)) from None
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


def bad_files(faults: list[str]) -> str:
    """The error line for files that were found bad."""
    return (
        f"{len(faults)} bad file{'s' * (len(faults) > 1)}: {shortened(faults, '; ')}; remove or replace "
        "(`python check_dataset.py --data_path DIR` lists all)"
    )


def shortened(names: list[str], separator: str = ", ") -> str:
    """The first few names, and how many more there are."""
    more = f"{separator}and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return separator.join(names[:SHOWN]) + more


def _is_empty(path: str) -> bool:
    return os.path.exists(path) and os.path.getsize(path) == 0


def _sentence(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return "not an image" if text.startswith("cannot identify image") else text

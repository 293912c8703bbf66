"""Find out whether an image can be decoded: decode it or, much faster, look at its first and last bytes."""

from __future__ import annotations

import os

from PIL import Image

from src.images.image_file import ImageRef, pillow_source

FORMATS = ("JPEG", "MPO", "PNG", "BMP", "TIFF")  # of the content; MindData decodes only these, whatever the file's name
HEAD_BYTES, TAIL_BYTES = 8, 64


def decode_error(image: ImageRef) -> str:
    """Decode an image. Return why that fails, or an empty string."""
    try:
        with Image.open(pillow_source(image)) as opened:
            opened.convert("RGB")
            if opened.format not in FORMATS or opened.mode == "F":
                return f"{opened.format} of mode {opened.mode} inside; expected JPEG, PNG, BMP or TIFF of whole numbers"
    except Exception as error:  # Pillow's readers raise anything for a damaged file
        return "empty file" if _is_empty(image) else _reason(error)
    return ""


def quick_decode_error(path: str) -> str:
    """Look at the first and last bytes of a file, and decode it only if they are unusual.

    Return why it cannot be decoded, or an empty string.
    """
    try:
        with open(path, "rb") as file:
            head = file.read(HEAD_BYTES)
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - TAIL_BYTES))
            tail = file.read()
    except OSError as error:
        return _reason(error)
    return "" if has_complete_ends(head, tail) else decode_error(path)


def has_complete_ends(head: bytes, tail: bytes) -> bool:
    """Return whether the first 8 and the last 64 bytes are those of a complete JPEG or PNG. Other formats: False."""
    is_jpeg = head.startswith(b"\xff\xd8\xff") and tail.rstrip(b"\0").endswith(b"\xff\xd9")
    is_png = head == b"\x89PNG\r\n\x1a\n" and b"IEND" in tail
    return is_jpeg or is_png


def _is_empty(image: ImageRef) -> bool:
    path = str(image)
    return os.path.exists(path) and os.path.getsize(path) == 0


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return "not an image" if text.startswith("cannot identify image") else text

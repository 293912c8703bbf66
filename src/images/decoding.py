"""Decode image files: their pixels in every command, or the reason why a file has none.

Pillow decodes, and its `convert("RGB")` decides the colors, as for users of torchvision and timm: transparency is
dropped, color profiles and the orientation in EXIF are ignored, and an animation is its first image. One rule differs.
Of 16-bit gray the upper byte counts, as Pillow does it for 16-bit colors; `convert` would turn all above 255 to white.
"""

from __future__ import annotations

import os
import warnings
from io import BytesIO

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.TiffImagePlugin import BITSPERSAMPLE, TiffImageFile

from src.images import jpeg, png
from src.images.image_file import ImageError, ImageRef, read_image

FORMATS = ("JPEG", "PNG", "BMP", "TIFF")  # of the content, whatever the file's name
EXPECTED = "expected JPEG, PNG, BMP or TIFF of whole numbers"
HEAD_BYTES, TAIL_BYTES = 8, 64
MAX_PIXELS = 178_956_970  # twice Image.MAX_IMAGE_PIXELS: Pillow's limit
MAX_RATIO = 100  # long side / short side; resized to 1,000 px, such an image has 100 million pixels
MAX_CHANNELS = 4

warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # of half the limit


def read_rgb(image: ImageRef) -> Image.Image:
    """Read and decode an image.

    Raises:
        ImageError: that fails; the text begins with the file.
    """
    try:
        return decode_rgb(read_image(image).tobytes())
    except (ImageError, OSError) as error:
        raise ImageError(f"{image}: {reason(error)}") from None


def decode_error(image: ImageRef) -> str:
    """Decode an image. Return why that fails, or an empty string."""
    try:
        decode_rgb(read_image(image).tobytes())
    except (ImageError, OSError) as error:
        return reason(error)
    return ""


def decode_rgb(content: bytes) -> Image.Image:
    """Return the pixels of an encoded image, in mode RGB.

    Raises:
        ImageError: the content is empty, damaged, too large, or of a kind that this project does not read.
    """
    if not content:
        raise ImageError("empty file")
    if content.startswith(jpeg.START) and content.rfind(jpeg.END) < 0:  # Pillow does not miss it in every file
        raise ImageError("damaged JPEG: the file ends before the image does")
    try:
        pixels = png.pixel_chunks(content) if content.startswith(png.SIGNATURE) else content
        with Image.open(BytesIO(pixels), formats=FORMATS) as opened:
            check_size(*opened.size)
            _check_kind(opened, content)
            if opened.mode.startswith("I"):  # 16-bit gray: I;16 or I;16B, in Pillow 10 also I
                return Image.fromarray((np.asarray(opened) >> 8).astype(np.uint8)).convert("RGB")
            return opened.convert("RGB")
    except Image.DecompressionBombError:
        raise ImageError(f"more than {MAX_PIXELS} pixels") from None
    except UnidentifiedImageError:
        raise ImageError(_unidentified(content)) from None
    except MemoryError:
        raise ImageError("not enough memory for its pixels") from None
    except Exception as error:  # Pillow's readers raise anything for a damaged file
        raise ImageError(reason(error)) from None


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
        return reason(error)
    return "" if has_complete_ends(head, tail) else decode_error(path)


def has_complete_ends(head: bytes, tail: bytes) -> bool:
    """Return whether the first 8 and the last 64 bytes are those of a complete JPEG or PNG. Other formats: False."""
    is_jpeg = head.startswith(b"\xff\xd8\xff") and tail.rstrip(b"\0").endswith(jpeg.END)
    is_png = head == png.SIGNATURE and b"IEND" in tail
    return is_jpeg or is_png


def check_size(width: int, height: int) -> None:
    """Check the size of an image in pixels.

    Raises:
        ImageError: its pixels, or those of the resized image, need too much memory.
    """
    if width * height > MAX_PIXELS:
        raise ImageError(f"more than {MAX_PIXELS} pixels")
    if max(width, height) > MAX_RATIO * min(width, height):
        raise ImageError(f"{width} x {height} pixels; a side may have {MAX_RATIO} times the length of the other")


def _check_kind(opened: Image.Image, content: bytes) -> None:
    """Refuse what Pillow reads only in some builds, or without a range of values.

    Raises:
        ImageError: it is such an image.
    """
    if content.startswith(jpeg.START) and (kind := jpeg.frame_kind(content)) > 2:
        raise ImageError(f"JPEG of kind SOF{kind}, lossless or arithmetic; expected baseline or progressive")
    if isinstance(opened, TiffImageFile):
        bits = opened.tag_v2.get(BITSPERSAMPLE, (1,))
        if len(bits) > MAX_CHANNELS:
            raise ImageError(f"TIFF of {len(bits)} channels; expected up to {MAX_CHANNELS}")
        if opened.mode[0] in "FI" and not (opened.mode.startswith("I;16") and bits == (16,)):
            raise ImageError(f"TIFF of mode {opened.mode} and {bits[0]} bits; expected 8 bits, or 16 without a sign")


def _unidentified(content: bytes) -> str:
    """Return what is known about a file that Pillow takes for none of `FORMATS`."""
    for start, name in ((jpeg.START, "JPEG"), (png.SIGNATURE, "PNG")):
        if content.startswith(start):
            return f"damaged {name}: its header cannot be read"
    try:
        with Image.open(BytesIO(content)) as other:
            return f"{other.format} of mode {other.mode} inside; {EXPECTED}"
    except Exception:  # as above
        return "not an image"


def reason(error: Exception) -> str:
    """Return the text of an error, in the system's words if it is one of files."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__

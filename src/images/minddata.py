"""Prepare encoded images for MindData's decoder in training, so that its pixels are those of evaluation.

The decoder is fast, because it decodes only the crop. But of some kinds of files it makes other pixels than Pillow, and
damaged ones can end the process (see `jpeg.py`). So only plain JPEGs and undamaged PNGs go to it. Pillow decodes all
others, which are handed over as BMP.
"""

from __future__ import annotations

from io import BytesIO

import numpy as np

from src.images import jpeg, png
from src.images.decoding import check_size, decode_error, decode_rgb
from src.images.image_file import ImageError, ImageRef, read_image


def for_minddata(encoded: np.ndarray, image: ImageRef) -> np.ndarray:
    """Return an encoded image, uint8 (n,), of which MindData's decoder makes the pixels of `decode_rgb`.

    Raises:
        ImageError: it cannot be decoded; the text begins with the name of `image`.
    """
    content = encoded.tobytes()
    try:
        if frame := jpeg.plain_frame(content):
            check_size(frame.width, frame.height)
            return encoded
        return np.frombuffer(_png(content) if content.startswith(png.SIGNATURE) else _bmp(content), np.uint8)
    except ImageError as error:
        raise ImageError(f"{image}: {error}") from None


def training_error(image: ImageRef) -> str:
    """Decode an image as evaluation and as training do. Return why one of them fails, or an empty string."""
    from mindspore.dataset import vision  # here, because a check of files does without it, and it takes 3 s

    if error := decode_error(image):
        return error
    try:
        vision.Decode()(for_minddata(read_image(image), image))
    except RuntimeError:
        return "MindData cannot decode it, although Pillow can"
    return ""


def _png(content: bytes) -> bytes:
    pixels = png.pixel_chunks(content)
    check_size(*png.size(pixels))
    return pixels


def _bmp(content: bytes) -> bytes:
    handed = BytesIO()
    decode_rgb(content).save(handed, "BMP")
    return handed.getvalue()

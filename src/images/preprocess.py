"""From an image file to the pixels that evaluation, prediction and deployment must agree on.

The rule is timm's and torchvision's: short side to floor(size / crop_pct) with antialiased bicubic, centre crop. It
is computed by Pillow itself, so crops equal theirs bit for bit.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import floor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from src.images.image_file import image_source

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
IMAGE_SUFFIXES = (".jpeg", ".jpg", ".png", ".bmp", ".tif", ".tiff")  # what MindData's decoder and Pillow both read


@dataclass(frozen=True)
class Preprocess:
    """How images become a network's input: `size` pixels a side, `mean` and `std` of pixels scaled to 0..1 (RGB)."""

    size: int
    crop_pct: float = 0.875
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD

    @property
    def resize(self) -> int:
        """Short side, in pixels, before the centre crop."""
        return floor(self.size / self.crop_pct)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for YAML, JSON and checkpoints."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Preprocess:
        """The inverse of `as_dict`."""
        return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in values.items()})

    def crop(self, image: Image.Image) -> Image.Image:
        """The RGB crop of `size` x `size` pixels that the network sees."""
        return centre_crop(resize_short_side(image.convert("RGB"), self.resize), self.size)

    def pixels(self, path: str | Path) -> np.ndarray:
        """The crop of an image file: uint8, (size, size, 3).

        Raises:
            OSError, ValueError, Image.DecompressionBombError: as Pillow does for a file that it cannot decode.
        """
        with Image.open(image_source(path)) as image:
            return np.asarray(self.crop(image))

    def pixel_mean_std(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of pixels as they are, 0 to 255: float32 (3,) each."""
        mean, std = (np.asarray(values, np.float32) * np.float32(255) for values in (self.mean, self.std))
        return mean, std

    def normalize(self, pixels: np.ndarray) -> np.ndarray:
        """uint8 (..., H, W, 3) to the network's float32 (..., 3, H, W)."""
        mean, std = self.pixel_mean_std()
        return np.moveaxis((pixels.astype(np.float32) - mean) / std, -1, -3).copy()


def resize_short_side(image: Image.Image, short: int) -> Image.Image:
    """Bicubic, antialiased; the long side is cut down to whole pixels as torchvision does."""
    width, height = image.size
    size = (short, int(short * height / width)) if width <= height else (int(short * width / height), short)
    if height > 2 * width and size[1] < height:  # the order of Pillow 13, in which earlier ones round otherwise
        image = image.resize((width, size[1]), Image.Resampling.BICUBIC)
    return image if image.size == size else image.resize(size, Image.Resampling.BICUBIC)


def centre_crop(image: Image.Image, size: int) -> Image.Image:
    """Halves round to the even pixel, as torchvision does."""
    left, top = (round((length - size) / 2) for length in image.size)
    return image.crop((left, top, left + size, top + size))

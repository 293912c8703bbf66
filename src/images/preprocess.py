"""From an image file to the pixels that evaluation, prediction and deployment must agree on.

The rule is timm's and torchvision's: reduce the short side to floor(size / crop_pct) by antialiased bicubic resampling,
then take the center crop. Pillow computes both, so the crops are bit-identical to theirs.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import floor
from typing import Any

import numpy as np
from PIL import Image

from src.errors import UserError
from src.images.decoding import read_rgb
from src.images.image_file import ImageRef

MIN_SIZE, MAX_SIZE, MAX_SHORT_SIDE = 8, 4096, 16384  # pixels; as in ascend310_infer/src/description.cc
IMAGENET_MEAN = (0.485, 0.456, 0.406)  # RGB, of pixels scaled to 0..1; as in timm and torchvision
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Preprocess:
    """How images become a network's input.

    Args:
        size: side of the crop in pixels, 8 to 4096.
        crop_pct: share of the short side that the crop keeps, 0 to 1. 0.875 (224 of 256 pixels) is timm's default.
        mean: mean of each RGB channel, of pixels scaled to 0..1.
        std: standard deviation of each RGB channel, of the same pixels.

    Raises:
        UserError: the crop is too small or too large, or it is too small a share of the resized image.
    """

    size: int
    crop_pct: float = 0.875
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD

    def __post_init__(self) -> None:
        if not MIN_SIZE <= self.size <= MAX_SIZE:
            raise UserError(f"input_size is {self.size}; expected {MIN_SIZE} to {MAX_SIZE} pixels")
        if self.resize > MAX_SHORT_SIDE:
            raise UserError(
                f"crop_pct is {self.crop_pct}: for {self.size} pixels, images grow to a short side of {self.resize}; "
                f"expected up to {MAX_SHORT_SIDE}"
            )

    @property
    def resize(self) -> int:
        """Return the short side before the center crop, in pixels."""
        return floor(self.size / self.crop_pct)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for YAML, JSON and checkpoints."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Preprocess:
        """Return the `Preprocess` whose `as_dict` is `values`."""
        fields: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}
        return cls(**fields)

    def crop(self, image: Image.Image) -> Image.Image:
        """Return the RGB crop of `size` x `size` pixels that the network sees."""
        return center_crop(resize_short_side(image.convert("RGB"), self.resize), self.size)

    def pixels(self, image: ImageRef) -> np.ndarray:
        """Decode an image and return its crop: uint8 (size, size, 3).

        Raises:
            ImageError: that fails; the text begins with the file.
        """
        return np.asarray(self.crop(read_rgb(image)))

    def pixel_mean_std(self) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and standard deviation of pixels with values 0 to 255: float32 (3,) each."""
        mean, std = (np.asarray(values, np.float32) * np.float32(255) for values in (self.mean, self.std))
        return mean, std

    def normalize(self, pixels: np.ndarray) -> np.ndarray:
        """Turn uint8 (..., H, W, 3) into the network's input, float32 (..., 3, H, W)."""
        mean, std = self.pixel_mean_std()
        return np.moveaxis((pixels.astype(np.float32) - mean) / std, -1, -3).copy()


def resize_short_side(image: Image.Image, short: int) -> Image.Image:
    """Resize so that the short side has `short` pixels, by antialiased bicubic resampling.

    The long side is rounded down, as in torchvision.
    """
    width, height = image.size
    size = (short, int(short * height / width)) if width <= height else (int(short * width / height), short)
    # Pillow 13 resizes the columns of tall images first. Earlier versions do not, and then round differently.
    if height > 2 * width and size[1] < height:
        image = image.resize((width, size[1]), Image.Resampling.BICUBIC)
    return image if image.size == size else image.resize(size, Image.Resampling.BICUBIC)


def center_crop(image: Image.Image, size: int) -> Image.Image:
    """Return the center crop of `size` x `size` pixels; half pixels round to even, as in torchvision."""
    left, top = (round((length - size) / 2) for length in image.size)
    return image.crop((left, top, left + size, top + size))

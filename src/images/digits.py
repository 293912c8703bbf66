"""The embedded digits: the 1,797 handwritten digits of scikit-learn, in two fixed splits, as an image folder."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image

from src.errors import UserError
from src.images.embedded import DATA, write_once

DIGITS_FOLDER = DATA / "digits"
VAL_IMAGES = 360
SIDE = 64  # pixels; the originals have 8, and random crops of so few pixels hardly differ
INKS = 16  # an original pixel has 0 to 16 parts of ink
SPLIT_SEED = 0
NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

Split = Literal["train", "val"]
SPLITS: tuple[Split, ...] = ("train", "val")


class Digit(NamedTuple):
    """A handwritten digit.

    Attributes:
        number: its place among scikit-learn's digits, 0 to 1796.
        label: the digit, 0 to 9.
        ink: uint8 (8, 8), 0 to 255.
    """

    number: int
    label: int
    ink: np.ndarray

    @property
    def folder(self) -> str:
        """Return the name of its class folder, such as `3_three`."""
        return f"{self.label}_{NAMES[self.label]}"


def write_digits(folder: Path = DIGITS_FOLDER) -> Path:
    """Write train/ (1,437 images) and val/ (360 images) with folders 0_zero to 9_nine, unless the folder exists.

    Raises:
        UserError: scikit-learn is not installed, or the folder cannot be written.
    """
    return write_once(folder, "digits", _write)


def read_digits(split: Split) -> list[Digit]:
    """Return the digits of a split in a fixed random order: the last 1,437 for train, the first 360 for val.

    Raises:
        UserError: scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise UserError(
            "the embedded digits need scikit-learn; `pip install scikit-learn`, or give a folder with --data_path"
        ) from None
    found = load_digits()
    order = np.random.RandomState(SPLIT_SEED).permutation(len(found.images))
    ink = (found.images * 255 / INKS).round().astype(np.uint8)
    numbers = order[:VAL_IMAGES] if split == "val" else order[VAL_IMAGES:]
    return [Digit(int(number), int(found.target[number]), ink[number]) for number in numbers]


def _write(folder: Path) -> None:
    for split in SPLITS:
        for digit in read_digits(split):
            target = folder / split / digit.folder / f"{digit.number:04d}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(digit.ink).resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(target)

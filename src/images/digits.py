"""The embedded data set: the 1,797 handwritten digits of scikit-learn, written once as an image folder."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from src.errors import UserError

logger = logging.getLogger(__name__)

DIGITS_FOLDER = Path(__file__).resolve().parents[2] / "data" / "digits"
VAL_IMAGES = 360
SIDE = 64  # pixels; the originals have 8, and random crops of so few pixels hardly differ
SPLIT_SEED = 0
NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def write_digits(folder: Path = DIGITS_FOLDER) -> Path:
    """Write train/ (1,437 images) and val/ (360 images) with folders 0_zero to 9_nine, unless the folder exists.

    Raises:
        UserError: scikit-learn is not installed, or the folder cannot be written.
    """
    if folder.is_dir():
        return folder
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise UserError("--data_path digits needs scikit-learn; `pip install scikit-learn`, or give a folder") from None
    digits = load_digits()
    try:
        _write(digits.images, digits.target, folder)
    except OSError as error:
        if not folder.is_dir():  # else another process has written it meanwhile
            raise UserError(f"cannot write the digits to {folder}: {error.strerror}") from None
    return folder


def _write(images: np.ndarray, labels: np.ndarray, folder: Path) -> None:
    """Write `images` (n, 8, 8), values 0 to 16, with `labels` (n,) as PNG files."""
    order = np.random.RandomState(SPLIT_SEED).permutation(len(images))
    folder.parent.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix=".digits-", dir=folder.parent))
    building = place / folder.name  # with the mode that the umask gives; that of `place` is 0700
    try:
        for position, index in enumerate(order):
            split = "val" if position < VAL_IMAGES else "train"
            label = int(labels[index])
            target = building / split / f"{label}_{NAMES[label]}" / f"{index:04d}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            pixels = (images[index] * 255 / 16).round().astype(np.uint8)
            Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(target)
        os.rename(building, folder)
    finally:
        shutil.rmtree(place)
    logger.info("wrote %d digits to %s", len(order), folder)

"""The embedded data set: scikit-learn's 1,797 handwritten digits, written once as an ImageNet-style folder."""

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
SIDE = 64  # pixels; the originals have 8, too few for random crops to differ
SPLIT_SEED = 0


def write_digits(folder: Path = DIGITS_FOLDER) -> Path:
    """Write train/ (1,437 images) and val/ (360) with folders zero to nine, unless they are there already.

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
    order = np.random.RandomState(SPLIT_SEED).permutation(len(digits.images))
    try:
        return _write(digits, order, folder)
    except OSError as error:
        if folder.is_dir():  # another process was first
            return folder
        raise UserError(f"cannot write the digits to {folder}: {error.strerror}") from None


def _write(digits, order: np.ndarray, folder: Path) -> Path:
    names = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    folder.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=".digits-", dir=folder.parent))
    try:
        for position, index in enumerate(order):
            split = "val" if position < VAL_IMAGES else "train"
            label = int(digits.target[index])
            target = building / split / f"{label}_{names[label]}" / f"{index:04d}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            pixels = (digits.images[index] * 255 / 16).round().astype(np.uint8)
            Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(target)
        building.chmod(0o755)
        os.rename(building, folder)
    except BaseException:
        shutil.rmtree(building)
        raise
    logger.info("wrote %d digits to %s", len(order), folder)
    return folder

"""The embedded scenes: each handwritten digit of scikit-learn in four cluttered scenes, as an image folder.

A digit has any size from 60 % of the side on, and stands anywhere. Clouds, noise, lines and quarters of other digits
surround it. Networks learn this within a minute on a CPU, and their resolution, depth and width show in the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from src.images.digits import SPLITS, Digit, read_digits
from src.images.drawing import clouds, lighter_color, paint_ink, paint_line, random_box, with_noise
from src.images.embedded import DATA, write_once
from src.images.png import stored_png

SCENES_FOLDER = DATA / "scenes"
SCENES_PER_DIGIT = 4
SIDE = 64  # pixels

# Chosen by trial: with smaller digits, darker ones, or more clutter, small networks stay at chance for 20,000 images.
DIGIT_SIDE = (38, 64)  # pixels
LEVEL = 70  # of the background, so that a digit can be lighter
GAP = (80, 150)  # levels between a digit and what is behind it
MOST_LINES, MOST_QUARTERS = 2, 3


def write_scenes(folder: Path = SCENES_FOLDER) -> Path:
    """Write train/ (5,748 images) and val/ (1,440 images) with folders 0_zero to 9_nine, unless the folder exists.

    Raises:
        UserError: scikit-learn is not installed, or the folder cannot be written.
    """
    return write_once(folder, "scenes", _write)


def draw_scene(digit: Digit, others: Sequence[Digit], copy: int) -> np.ndarray:
    """Return scene `copy` of a digit, uint8 (64, 64, 3). The clutter has quarters of the digits `others`."""
    rng = np.random.RandomState([digit.number, copy])
    canvas = clouds(rng, SIDE, cells=rng.randint(2, 7), level=LEVEL, percent=rng.randint(10, 41))
    for _ in range(rng.randint(MOST_LINES + 1)):
        paint_line(canvas, rng.randint(0, SIDE, (2, 2)), rng.randint(7, 26) / 10, rng.randint(0, 256, 3))
    for _ in range(rng.randint(MOST_QUARTERS + 1)):
        side = rng.randint(7, 23)
        _paint(rng, canvas, _quarter(rng, others[rng.randint(len(others))]), side, side)
    height = rng.randint(DIGIT_SIDE[0], DIGIT_SIDE[1] + 1)
    _paint(rng, canvas, digit.ink, height, min(SIDE, height * rng.randint(80, 121) // 100))
    return with_noise(rng, canvas, strength=rng.randint(2, 21))


def _paint(rng: np.random.RandomState, canvas: np.ndarray, ink: np.ndarray, height: int, width: int) -> None:
    box = random_box(rng, canvas, height, width)
    paint_ink(canvas, box, ink, lighter_color(rng, canvas, box, rng.randint(*GAP)))


def _quarter(rng: np.random.RandomState, digit: Digit) -> np.ndarray:
    top, left = 4 * rng.randint(0, 2, 2)
    return digit.ink[top : top + 4, left : left + 4]


def _write(folder: Path) -> None:
    for split in SPLITS:
        digits = read_digits(split)
        others = [digit for digit in digits if digit.label != 1]  # a half of a 1 is a 1
        for digit in digits:
            target = folder / split / digit.folder
            target.mkdir(parents=True, exist_ok=True)
            for copy in range(SCENES_PER_DIGIT):
                content = stored_png(draw_scene(digit, others, copy))
                (target / f"{digit.number:04d}_{copy}.png").write_bytes(content)

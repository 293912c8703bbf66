"""Draw digits, lines, clouds and noise on a canvas, with the same pixels on every machine.

Random numbers are whole numbers of a `RandomState`, whose sequence NumPy has frozen. Sums are sums of whole numbers.
Other arithmetic is that of single pixels, which IEEE 754 fixes. Pillow resizes with whole numbers.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from PIL import Image

Canvas: TypeAlias = np.ndarray  # float64 (height, width, 3), 0 to 255
Cover: TypeAlias = np.ndarray  # float64 (height, width), the share of each pixel that is painted, 0 to 1
WHITE = 255


class Box(NamedTuple):
    """A rectangle of a canvas, in pixels."""

    top: int
    left: int
    height: int
    width: int

    @property
    def pixels(self) -> tuple[slice, slice]:
        """Return the index of its pixels in a canvas."""
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)


def random_box(rng: np.random.RandomState, canvas: Canvas, height: int, width: int) -> Box:
    """Return a box of this size anywhere within the canvas."""
    rows, columns = canvas.shape[:2]
    return Box(rng.randint(rows - height + 1), rng.randint(columns - width + 1), height, width)


def clouds(rng: np.random.RandomState, side: int, cells: int, level: int, percent: int) -> Canvas:
    """Return a canvas of side x side pixels with random colors in cells x cells places, smooth between them.

    Args:
        level: mean of the colors, 0 to 255.
        percent: how far they differ from it, in percent of what is possible around gray.
    """
    colors = [resized(rng.randint(0, WHITE + 1, (cells, cells)).astype(np.uint8), side, side) for _ in range(3)]
    return level + (np.stack(colors, axis=-1) - WHITE / 2) * percent / 100


def resized(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return uint8 `pixels` (h, w) in another size, by Pillow's bicubic filter: float64 (height, width), 0 to 255."""
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC), np.float64)


def paint(canvas: Canvas, box: Box, cover: Cover, color: np.ndarray) -> None:
    """Paint a color, (3,), into a box of the canvas where `cover` says so."""
    part = canvas[box.pixels]
    part += (color - part) * cover[..., None]


def paint_ink(canvas: Canvas, box: Box, ink: np.ndarray, color: np.ndarray) -> None:
    """Paint a digit, or a part of one, over a whole box of the canvas. Ink is uint8, 0 to 255."""
    paint(canvas, box, resized(ink, box.height, box.width) / WHITE, color)


def paint_line(canvas: Canvas, ends: np.ndarray, radius: float, color: np.ndarray) -> None:
    """Paint a straight line with round ends.

    Args:
        ends: row and column of both ends, (2, 2), in pixels.
        radius: half of its width, in pixels.
    """
    (row, column), (rows, columns) = ends[0], ends[1] - ends[0]
    down, right = np.ogrid[: canvas.shape[0], : canvas.shape[1]]
    down, right = down - row, right - column
    along = np.clip((down * rows + right * columns) / max(1, rows**2 + columns**2), 0, 1)
    distance = np.sqrt((down - along * rows) ** 2 + (right - along * columns) ** 2)
    paint(canvas, Box(0, 0, *canvas.shape[:2]), np.clip(radius + 0.5 - distance, 0, 1), color)


def lighter_color(rng: np.random.RandomState, canvas: Canvas, box: Box, gap: int) -> np.ndarray:
    """Return a random color whose mean is `gap` levels above that of a box of the canvas, where white allows it."""
    tint = rng.randint(60, 101, 3)
    return np.minimum(WHITE, (mean_level(canvas, box) + gap) * tint * 3 / tint.sum())


def mean_level(canvas: Canvas, box: Box) -> float:
    """Return the mean over the pixels and channels of a box, 0 to 255."""
    levels = np.rint(canvas[box.pixels]).astype(np.int64)  # whole numbers have the same sum in any order
    return int(levels.sum()) / levels.size


def with_noise(rng: np.random.RandomState, canvas: Canvas, strength: int) -> np.ndarray:
    """Return the canvas as uint8 pixels, each changed by at most `strength` levels."""
    return np.clip(np.rint(canvas) + rng.randint(-strength, strength + 1, canvas.shape), 0, WHITE).astype(np.uint8)

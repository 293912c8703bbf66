"""The anchors of a detector: the boxes that predictions are relative to."""

from __future__ import annotations

import numpy as np

from src.design.detector import Detector


def anchor_boxes(detector: Detector) -> np.ndarray:
    """Return the anchors of all levels, float32 (anchors, 4): x1, y1, x2, y2 in pixels of the input.

    The order is that of the predictions: level, row, column, shape. The shapes of a cell are a square of the level's
    scale, a square of the geometric mean of this and the next scale, and for each ratio a wide and a tall box. Widths
    and heights are limited to those of the image; corners are not, and lie outside of it near its borders. This is
    torchvision's `DefaultBoxGenerator` with `clip=True`.
    """
    levels = detector.levels()
    low, high = detector.scales
    scales = [low + (high - low) * level / max(1, len(levels) - 1) for level in range(len(levels))] + [1.0]
    boxes = []
    for index, level in enumerate(levels):
        shapes = _shapes(scales[index], scales[index + 1], detector.ratios)
        middles = (np.arange(level.size) + 0.5) / level.size
        y, x, shape = np.meshgrid(middles, middles, np.arange(len(shapes)), indexing="ij")
        width, height = shapes[shape, 0], shapes[shape, 1]
        boxes.append(np.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], -1).reshape(-1, 4))
    return (np.concatenate(boxes) * detector.size).astype(np.float32)


def _shapes(scale: float, next_scale: float, ratios: tuple[float, ...]) -> np.ndarray:
    """Return width and height of the anchors of a cell, as shares of the image: float64 (shapes, 2)."""
    middle = np.sqrt(scale * next_scale)
    shapes = [(scale, scale), (middle, middle)]
    for ratio in ratios:
        wide, tall = scale * np.sqrt(ratio), scale / np.sqrt(ratio)
        shapes += [(wide, tall), (tall, wide)]
    return np.clip(shapes, 0, 1)

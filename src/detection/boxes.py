"""Boxes as x1, y1, x2, y2: overlap, and their codes relative to anchors. Lengths are x2 - x1, without a pixel more."""

from __future__ import annotations

from math import log

import numpy as np

CODE_WEIGHTS = (10.0, 10.0, 5.0, 5.0)  # of center and logarithm of the size, as in SSD (variances 0.1 and 0.2)
LARGEST_LOG = log(1000 / 16)  # of predicted size / anchor's size: torchvision's limit before exp


def areas(boxes: np.ndarray) -> np.ndarray:
    """Return the area of each box of (..., 4): (...)."""
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def intersections(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the common area of each pair of boxes: (m, 4) and (n, 4) to (m, n)."""
    width, height = (_common_sides(first, second, axis) for axis in (0, 1))
    return width * height


def _common_sides(first: np.ndarray, second: np.ndarray, axis: int) -> np.ndarray:
    """Return the common width (axis 0) or height (axis 1) of each pair of boxes: (m, 4) and (n, 4) to (m, n).

    Each axis has an array of its own: seven objects and 3,234 anchors then take 0.1 instead of 1 ms.
    """
    common = np.minimum(first[:, None, axis + 2], second[None, :, axis + 2])
    common = common - np.maximum(first[:, None, axis], second[None, :, axis])
    return np.maximum(common, 0, out=common)


def overlaps(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the intersection over union of each pair of boxes: (m, 4) and (n, 4) to (m, n), values 0 to 1.

    Two boxes without area have the overlap 0.
    """
    common = intersections(first, second)
    union = areas(first)[:, None] + areas(second)[None] - common
    return np.divide(common, union, out=np.zeros_like(common), where=union > 0)


def encode(boxes: np.ndarray, anchors: np.ndarray) -> np.ndarray:
    """Return the codes of boxes relative to anchors, both (..., 4): offset of the center, log of the size, weighted."""
    center, size = _center_and_size(boxes)
    anchor_center, anchor_size = _center_and_size(anchors)
    offset, growth = (center - anchor_center) / anchor_size, np.log(size / anchor_size)
    return np.concatenate([offset, growth], -1) * np.asarray(CODE_WEIGHTS, boxes.dtype)


def decode(codes: np.ndarray, anchors: np.ndarray) -> np.ndarray:
    """Return the boxes that codes stand for, both (..., 4). The size is at most 62.5 times that of the anchor."""
    codes = codes / np.asarray(CODE_WEIGHTS, codes.dtype)
    anchor_center, anchor_size = _center_and_size(anchors)
    center = codes[..., :2] * anchor_size + anchor_center
    half = np.exp(np.minimum(codes[..., 2:], codes.dtype.type(LARGEST_LOG))) * anchor_size / 2
    return np.concatenate([center - half, center + half], -1)


def clip(boxes: np.ndarray, width: float, height: float) -> np.ndarray:
    """Return the parts of boxes (..., 4) that are within an image."""
    limit = np.array([width, height, width, height], boxes.dtype)
    return np.minimum(np.maximum(boxes, 0), limit)


def coco_boxes(boxes: np.ndarray) -> np.ndarray:
    """Return boxes (n, 4) as COCO writes them: x, y, width and height, float64 (n, 4)."""
    corners = boxes.astype(np.float64)
    return np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], -1)


def _center_and_size(boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    size = boxes[..., 2:] - boxes[..., :2]
    return boxes[..., :2] + size / 2, size

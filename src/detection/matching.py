"""Match anchors with the objects of an image: what each anchor is trained to predict."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from src.detection.boxes import encode, overlaps

BACKGROUND = 0  # class of anchors without an object; those of objects begin at 1
LEAST_OVERLAP = 0.5  # of an anchor and its object (SSD, https://arxiv.org/abs/1512.02325, section 2.2)


class Targets(NamedTuple):
    """Labels and codes that the anchors of an image are trained to predict.

    `labels`: class of each anchor, int32 (anchors,); 0 is the background.
    `codes`: box of each anchor, float32 (anchors, 4); 0 for the background.
    """

    labels: np.ndarray
    codes: np.ndarray


def match(boxes: np.ndarray, anchors: np.ndarray) -> np.ndarray:
    """Return the object of each anchor, int64 (anchors,); -1: none.

    An anchor has the object that it overlaps most, if that is at least 0.5. Then each object gets the anchor that
    overlaps it most, whatever the overlap; of two objects with the same anchor, the later one gets it (torchvision).
    """
    if not len(boxes):
        return np.full(len(anchors), -1)
    found = overlaps(boxes, anchors)
    matched = np.where(found.max(0) >= LEAST_OVERLAP, found.argmax(0), -1)
    for index, anchor in enumerate(found.argmax(1)):
        matched[anchor] = index
    return matched


def targets(boxes: np.ndarray, classes: np.ndarray, anchors: np.ndarray) -> Targets:
    """Return what the anchors of an image are trained to predict.

    Args:
        boxes: objects, float32 (n, 4), in pixels of the network's input.
        classes: their classes from 1, int (n,).
        anchors: float32 (anchors, 4).
    """
    matched = match(boxes, anchors)
    positive = np.flatnonzero(matched >= 0)
    labels, codes = np.full(len(anchors), BACKGROUND, np.int32), np.zeros(anchors.shape, np.float32)
    labels[positive] = classes[matched[positive]]
    codes[positive] = encode(boxes[matched[positive]], anchors[positive])
    return Targets(labels, codes)

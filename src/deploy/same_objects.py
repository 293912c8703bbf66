"""Agreement of an 8-bit file with the float file of a detector: the objects of each image, and the AP."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from src.deploy.comparison import Judge, Score
from src.detection.boxes import overlaps
from src.detection.coco import CocoSet
from src.detection.coco_scores import NO_TRUTH, score_detections
from src.detection.finding import as_table
from src.detection.picture import SAME, SURE
from src.detection.postprocess import Detections, Rule, detect


class SameObjects(Judge):
    """Compares the objects of each image, and with the truth of all `images` the AP.

    Args:
        rule: makes objects of boxes and scores.
        images: the truth.
        size: side of the input in pixels.
    """

    result = "objects"

    def __init__(self, rule: Rule, images: CocoSet | None = None, size: int = 0) -> None:
        self.rule, self.images, self.size = rule, images, size
        self._found: list[Detections] = []
        self._expected: list[Detections] = []

    def add(self, found: Sequence[np.ndarray], expected: Sequence[np.ndarray]) -> None:
        for outputs, objects in ((found, self._found), (expected, self._expected)):
            objects += [detect(boxes, scores, self.rule) for boxes, scores in zip(*outputs, strict=True)]

    def agreement(self) -> float:
        return 100 * float(np.mean([agree(*pair) for pair in zip(self._found, self._expected, strict=True)]))

    def scores(self) -> tuple[Score, ...]:
        if self.images is None:
            return ()
        numbers, float_numbers = (self._numbers(self.images, objects) for objects in (self._found, self._expected))
        found = (Score(key, key.upper(), numbers[key], float_numbers[key]) for key in ("ap", "ap50"))
        return tuple(score for score in found if score.value != NO_TRUTH)

    def _numbers(self, images: CocoSet, found: list[Detections]) -> dict[str, float]:
        """Return COCO's numbers of the objects of all images."""
        scaled = [
            objects.scaled(self.size, row["width"], row["height"])
            for objects, row in zip(found, images.rows, strict=True)
        ]
        return score_detections(images, as_table(images, scaled)).numbers


def agree(first: Detections, second: Detections) -> bool:
    """Return whether two lists have the same objects.

    Each object of a score of at least 0.5 must overlap one of the same class in the other list.
    """
    ours, theirs = (found.scores >= SURE for found in (first, second))
    is_same = (overlaps(first.boxes[ours], second.boxes[theirs]) >= SAME) & (
        first.classes[ours][:, None] == second.classes[theirs]
    )
    return bool(is_same.any(0).all() and is_same.any(1).all())

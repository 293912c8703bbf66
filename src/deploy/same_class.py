"""Agreement of an 8-bit file with the float file of a classifier: the class of each image, and the accuracy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from src.deploy.comparison import Judge, Score


class SameClass(Judge):
    """Compares the most probable classes; and with `labels`, int (n,) of all images, the accuracies."""

    result = "class"

    def __init__(self, labels: np.ndarray | None = None) -> None:
        self.labels = labels
        self._found: list[np.ndarray] = []
        self._expected: list[np.ndarray] = []

    def add(self, found: Sequence[np.ndarray], expected: Sequence[np.ndarray]) -> None:
        self._found.append(found[0].argmax(1))
        self._expected.append(expected[0].argmax(1))

    def agreement(self) -> float:
        return _percent(np.concatenate(self._found) == np.concatenate(self._expected))

    def scores(self) -> tuple[Score, ...]:
        if self.labels is None:
            return ()
        top1, float_top1 = (_percent(np.concatenate(values) == self.labels) for values in (self._found, self._expected))
        return (Score("top1", "top-1", top1, float_top1),)


def _percent(is_right: np.ndarray) -> float:
    return float(100 * np.mean(is_right))

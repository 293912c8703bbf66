"""Whether one network is better than another: the difference of their accuracies over seeds, with an interval."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan, nan, sqrt
from typing import NamedTuple

import numpy as np

CONFIDENCE = 0.95


class Difference(NamedTuple):
    """The difference of two means in percentage points, and its 95 % interval; nan for fewer than two seeds."""

    mean: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """Return better, worse, tie (the interval holds 0) or not known."""
        if isnan(self.low):
            return "not known"
        return "better" if self.low > 0 else "worse" if self.high < 0 else "tie"

    def __str__(self) -> str:
        """Return the difference with its interval and verdict, as reports show it."""
        if isnan(self.mean):
            return "not known"
        if isnan(self.low):
            return f"{self.mean:+.2f}, one seed: not known"
        return f"{self.mean:+.2f} [{self.low:+.2f}, {self.high:+.2f}]: {self.verdict}"


def difference(first: Sequence[float], second: Sequence[float]) -> Difference:
    """Return how much the first accuracies exceed the second, with Welch's interval for unequal variances."""
    if not first or not second:
        return Difference(nan, nan, nan)
    mean = float(np.mean(first) - np.mean(second))
    if len(first) < 2 or len(second) < 2:
        return Difference(mean, nan, nan)
    errors = [float(np.var(top1s, ddof=1)) / len(top1s) for top1s in (first, second)]  # squared, of the means
    if not sum(errors):
        return Difference(mean, mean, mean)
    from scipy.stats import t

    freedom = sum(errors) ** 2 / (errors[0] ** 2 / (len(first) - 1) + errors[1] ** 2 / (len(second) - 1))
    half = float(t.ppf((1 + CONFIDENCE) / 2, freedom)) * sqrt(sum(errors))
    return Difference(mean, mean - half, mean + half)

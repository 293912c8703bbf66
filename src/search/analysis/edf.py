"""The error distribution (EDF) of a sampled space, and the range of a factor that good networks have.

Both are the tools of "On Network Design Spaces" and "Designing Network Design Spaces" (pycls, `sweep_analyze`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

DRAWS = 2500  # as in pycls
SHARE = 0.25  # of the networks in a draw, as in pycls
PERCENTILES = (2.5, 50, 97.5)


class ErrorDistribution(NamedTuple):
    """For each error, rising, (N,), in percent, the share of networks whose error is at most that, (N,)."""

    errors: np.ndarray
    shares: np.ndarray


class GoodRange(NamedTuple):
    """Percentiles 2.5, 50 and 97.5 of a factor of the best network of a random quarter of all networks."""

    low: float
    median: float
    high: float


def error_distribution(accuracy: ArrayLike) -> ErrorDistribution:
    """Return the error distribution of N networks from their accuracies in percent.

    A network without a finite accuracy, because its training failed, has an error of 100 %.
    """
    accuracy = np.asarray(accuracy, float)
    errors = np.sort(np.where(np.isfinite(accuracy), 100 - accuracy, 100.0))
    return ErrorDistribution(errors, np.arange(1, len(errors) + 1) / max(1, len(errors)))


def good_range(factor: ArrayLike, accuracy: ArrayLike, seed: int, draws: int = DRAWS) -> GoodRange | None:
    """Return the range of a factor that good networks have; None if no network has an accuracy.

    Each draw takes a quarter of the networks with replacement and keeps the factor of the most accurate one.

    Args:
        factor: (N,), such as the resolution of each network.
        accuracy: (N,), any unit; networks without a finite one do not count.
        seed: of the draws.
        draws: the number of draws.
    """
    factor, accuracy = np.asarray(factor, float), np.asarray(accuracy, float)
    usable = np.flatnonzero(np.isfinite(accuracy) & np.isfinite(factor))
    if not len(usable):
        return None
    by_accuracy = factor[usable[np.argsort(-accuracy[usable], kind="stable")]]
    random, size = np.random.default_rng(seed), max(1, round(SHARE * len(usable)))
    best = [random.integers(len(usable), size=size).min() for _ in range(draws)]
    return GoodRange(*map(float, np.percentile(by_accuracy[best], PERCENTILES)))

"""Spearman's rank correlation with a bootstrap interval."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

FEWEST = 4  # three points are in one of six orders, so that their correlation says nothing
DRAWS = 1000  # bootstrap draws
INTERVAL = (2.5, 97.5)  # percentiles: an interval of 95 %


class Correlation(NamedTuple):
    """Spearman's rho of some pairs, its 95 % bootstrap interval (all nan where it is not defined), and their number."""

    rho: float
    low: float
    high: float
    pairs: int

    def __str__(self) -> str:
        if np.isnan(self.rho):
            return f"not defined (n = {self.pairs})"
        return f"{self.rho:+.2f} [{self.low:+.2f}, {self.high:+.2f}] (n = {self.pairs})"


def spearman(x: ArrayLike, y: ArrayLike, seed: int, draws: int = DRAWS) -> Correlation:
    """Return the rank correlation of two arrays of N numbers, with an interval by `draws` bootstrap draws.

    Pairs with a number that is not finite do not count. The correlation is not defined for fewer than four pairs or
    if all numbers of an array are equal. Draws in which that happens do not count.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    usable = np.isfinite(x) & np.isfinite(y)
    first, second = _Ranking(x[usable]), _Ranking(y[usable])
    count = int(usable.sum())
    if count < FEWEST or first.constant or second.constant:
        return Correlation(np.nan, np.nan, np.nan, count)
    random = np.random.default_rng(seed)

    def drawn() -> float:
        copies = np.bincount(random.integers(count, size=count), minlength=count)
        return _pearson(first.midranks(copies), second.midranks(copies), copies)

    once = np.ones(count, int)
    rho = _pearson(first.midranks(once), second.midranks(once), once)
    low, high = np.nanpercentile([drawn() for _ in range(draws)], INTERVAL)
    return Correlation(rho, float(low), float(high), count)


class _Ranking:
    """The order of some numbers. A bootstrap draw repeats numbers, which changes their ranks but not their order."""

    def __init__(self, numbers: np.ndarray) -> None:
        self.order = np.argsort(numbers, kind="stable")
        ordered = numbers[self.order]
        self.starts = np.flatnonzero(np.diff(ordered, prepend=np.nan) != 0)  # of each run of equal numbers
        self.lengths = np.diff(self.starts, append=len(numbers))
        self.constant = len(self.starts) <= 1

    def midranks(self, copies: np.ndarray) -> np.ndarray:
        """Return the rank of each number if number i is there `copies[i]` times; equal numbers share their mean."""
        sizes = np.add.reduceat(copies[self.order], self.starts)
        middle = np.cumsum(sizes) - (sizes - 1) / 2
        ranks = np.empty(len(copies))
        ranks[self.order] = np.repeat(middle, self.lengths)
        return ranks


def _pearson(x: np.ndarray, y: np.ndarray, copies: np.ndarray) -> float:
    """Return the correlation of x and y if pair i is there `copies[i]` times; nan if x or y is constant."""
    x, y = x - np.average(x, weights=copies), y - np.average(y, weights=copies)
    variances = (copies @ x**2) * (copies @ y**2)
    return float(copies @ (x * y) / np.sqrt(variances)) if variances > 0 else np.nan

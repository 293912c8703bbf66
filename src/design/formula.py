"""The tiny formula (Model Rubik's Cube, NeurIPS 2020): resolution and depth for a budget of multiply-adds.

Gaussian process regression over good networks gives resolution r(c) and depth d(c) for a budget of c times the base's
MACs; the width then follows from the budget (`shrink.py`). The paper's kernel is an RBF with Gaussian noise; its
parameters are not known to us. Ours are `Kernel`'s defaults.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import exp
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from src.design.points import Point, published_points
from src.errors import UserError

if TYPE_CHECKING:
    from sklearn.gaussian_process import GaussianProcessRegressor


class Kernel(NamedTuple):
    """The regression is of ln r and of ln d on ln c; its prior mean is 0, which is the base as it is.

    `length` is the RBF's, in ln c (1.5: points whose budgets differ by a factor of 4.5 still inform each other);
    `amplitude` is the prior's standard deviation (1: a factor of e either way); `noises` are those that are tried
    where points do not state their own: the likeliest is taken, for r and d apart.
    """

    length: float = 1.5
    amplitude: float = 1.0
    noises: tuple[float, ...] = (0.01, 0.02, 0.05, 0.1, 0.2)


class Estimate(NamedTuple):
    """A factor and its standard deviation."""

    value: float
    deviation: float


@dataclass(frozen=True)
class Formula:
    """What `fit` has made of `points`."""

    points: tuple[Point, ...]
    kernel: Kernel
    log_r: GaussianProcessRegressor
    log_d: GaussianProcessRegressor

    def at(self, c: float) -> tuple[Estimate, Estimate]:
        """Resolution and depth at `c` times the base's MACs, c > 0. Their logarithms are normally distributed;
        the deviation is theirs to first order.
        """
        return tuple(
            Estimate(exp(mean), exp(mean) * deviation)
            for (mean,), (deviation,) in (predict_log(process, [c]) for process in (self.log_r, self.log_d))
        )

    def covers(self, c: float) -> bool:
        """Whether `c` lies among the points; elsewhere the formula extrapolates."""
        budgets = [point.c for point in self.points]
        return min(budgets) <= c <= max(budgets)


def fit(points: Sequence[Point], kernel: Kernel = Kernel()) -> Formula:
    """The formula through `points`, such as those of `read_points`. The same points give the same formula.

    Raises:
        UserError: scikit-learn is not installed.
    """
    log_r, log_d = (_regression(points, [getattr(point, key) for point in points], kernel) for key in "rd")
    return Formula(tuple(points), kernel, log_r, log_d)


@lru_cache(maxsize=1)
def published_formula() -> Formula:
    """Fitted on the published TinyNet-A to E and EfficientNet-B0."""
    return fit(published_points())


def predict_log(process: GaussianProcessRegressor, budgets: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of ln r or ln d, (N,) each, at N budgets c."""
    return process.predict(np.log(budgets)[:, None], return_std=True)


def _regression(points: Sequence[Point], values: Sequence[float], kernel: Kernel) -> GaussianProcessRegressor:
    """Of ln `values` on ln c, its kernel held fixed."""
    try:
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import RBF
    except ImportError:
        raise UserError("the tiny formula needs scikit-learn; `pip install '.[search]'`") from None

    def fitted(noise: float) -> GaussianProcessRegressor:
        variances = np.array([point.noise or noise for point in points]) ** 2
        prior = kernel.amplitude**2 * RBF(kernel.length)
        process = GaussianProcessRegressor(prior, alpha=variances, optimizer=None)
        return process.fit(np.log([point.c for point in points])[:, None], np.log(values))

    return max(map(fitted, kernel.noises), key=lambda process: process.log_marginal_likelihood_value_)

"""The tiny formula (Model Rubik's Cube, NeurIPS 2020): resolution and depth for a budget of multiply-adds.

Gaussian process regression over good networks gives resolution r(c) and depth d(c) for a budget of c times the base's
MACs. The width then follows from the budget (`shrink.py`). The paper's kernel is an RBF with Gaussian noise. Its
parameters are not known to us; the defaults of `Kernel` are our own.
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
    """Parameters of the regression of ln r and ln d on ln c. Its prior mean is 0, which is the unscaled base."""

    length: float = 1.5  # of the RBF, in ln c: budgets that differ by e^1.5 = 4.5 have a correlation of 0.61
    amplitude: float = 1.0  # standard deviation of the prior, in ln r or ln d: 1 is a factor of e
    noises: tuple[float, ...] = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4)  # of points without one; the likeliest is used


class Estimate(NamedTuple):
    """A factor and its standard deviation."""

    value: float
    deviation: float


@dataclass(frozen=True)
class Formula:
    """Two Gaussian processes, for ln r and ln d, that `fit` has fitted on `points`."""

    points: tuple[Point, ...]
    kernel: Kernel
    log_r: GaussianProcessRegressor
    log_d: GaussianProcessRegressor

    def at(self, c: float) -> tuple[Estimate, Estimate]:
        """Return resolution and depth at `c` times the base's MACs, c > 0.

        Their logarithms are normally distributed; the deviations are first-order approximations from these.
        """
        return _estimate(self.log_r, c), _estimate(self.log_d, c)

    def covers(self, c: float) -> bool:
        """Return True if `c` is within the budgets of the points; outside, the formula extrapolates."""
        budgets = [point.c for point in self.points]
        return min(budgets) <= c <= max(budgets)


def fit(points: Sequence[Point], kernel: Kernel = Kernel()) -> Formula:
    """Return the formula fitted on `points`. The same points give the same formula.

    Raises:
        UserError: scikit-learn is not installed.
    """
    log_r, log_d = (_regression(points, [getattr(point, key) for point in points], kernel) for key in "rd")
    return Formula(tuple(points), kernel, log_r, log_d)


@lru_cache(maxsize=1)
def published_formula() -> Formula:
    """Return the formula fitted on the published TinyNet-A to E and EfficientNet-B0."""
    return fit(published_points())


def predict_log(
    process: GaussianProcessRegressor, budgets: Sequence[float] | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of ln r or ln d, (N,) each, at N budgets c."""
    return process.predict(np.log(budgets)[:, None], return_std=True)


def _estimate(process: GaussianProcessRegressor, c: float) -> Estimate:
    (mean,), (deviation,) = predict_log(process, [c])
    return Estimate(exp(mean), exp(mean) * deviation)


def _regression(points: Sequence[Point], values: Sequence[float], kernel: Kernel) -> GaussianProcessRegressor:
    """Return the regression of ln `values` on ln c, with a fixed kernel."""
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

"""Error distributions and the range of a factor in good networks, against counting and against pycls' procedure."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.search.analysis.edf import error_distribution, good_range


@settings(max_examples=30)
@given(st.lists(st.floats(0, 100) | st.just(np.nan), max_size=30), st.floats(0, 100))
def test_the_distribution_counts_networks_up_to_an_error(accuracies, error):
    found = error_distribution(accuracies)
    errors = [100 if np.isnan(accuracy) else 100 - accuracy for accuracy in accuracies]
    counted = np.mean([one <= error for one in errors]) if errors else 0
    below = found.shares[found.errors <= error]
    assert (below[-1] if len(below) else 0) == pytest.approx(counted)


def test_failed_trainings_are_errors_of_100_percent():
    found = error_distribution([90, np.nan, 80, np.nan])
    assert found.errors.tolist() == [10, 20, 100, 100] and found.shares.tolist() == [0.25, 0.5, 0.75, 1]


def test_the_good_range_is_that_of_the_best_of_random_quarters():
    random = np.random.default_rng(5)
    factor = random.uniform(0, 1, 80)
    accuracy = 90 - 40 * (factor - 0.6) ** 2 + random.normal(size=80)
    best = []
    for _ in range(5_000):
        drawn = random.choice(80, size=20)
        best.append(factor[drawn[np.argmax(accuracy[drawn])]])
    found = good_range(factor, accuracy, seed=1, draws=5_000)
    assert found == pytest.approx(np.percentile(best, [2.5, 50, 97.5]), abs=0.03)


def test_networks_that_failed_are_never_good():
    assert good_range([1, 2, 3], [np.nan, 50, np.nan], seed=1) == (2, 2, 2)
    assert good_range([1, 2], [np.nan, np.nan], seed=1) is None

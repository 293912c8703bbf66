"""Spearman's correlation and its interval, against SciPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import bootstrap, spearmanr

from src.search.analysis.correlation import spearman

pairs = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=4, max_size=30)


@settings(max_examples=30)
@given(pairs)
def test_rho_is_that_of_scipy_with_ties(pairs):
    x, y = np.array(pairs, float).T
    found = spearman(x, y, seed=1, draws=5)
    if len(set(x)) == 1 or len(set(y)) == 1:
        assert np.isnan(found[:3]).all()
    else:
        assert found.rho == pytest.approx(spearmanr(x, y)[0], abs=1e-12)


def test_the_interval_is_that_of_scipys_bootstrap():
    random = np.random.default_rng(0)
    x = random.normal(size=20)
    y = x + random.normal(size=20)
    found = spearman(x, y, seed=1, draws=2000)
    theirs = bootstrap((x, y), lambda a, b: spearmanr(a, b)[0], paired=True, method="percentile", n_resamples=500)
    assert (found.low, found.high) == pytest.approx(theirs.confidence_interval, abs=0.06)
    assert found.low < found.rho < found.high and found.pairs == 20


def test_the_same_seed_gives_the_same_interval():
    x, y = np.random.default_rng(0).normal(size=(2, 12))
    assert spearman(x, y, seed=1) == spearman(x, y, seed=1) != spearman(x, y, seed=2)


@pytest.mark.parametrize("x", [[], [1, 2, 3], [7, 7, 7, 7, 7], [1, 2, 3, np.nan]])
def test_it_is_not_defined_for_few_or_equal_numbers(x):
    found = spearman(x, range(len(x)), seed=1)
    assert np.isnan([found.rho, found.low, found.high]).all() and str(found).startswith("not defined (n = ")


def test_pairs_with_a_number_that_is_not_finite_do_not_count():
    assert spearman([1, 2, 3, 4, np.nan, 6], [1, 2, 3, 4, 5, np.inf], seed=1)[0::3] == (pytest.approx(1), 4)


def test_the_text_has_the_interval_and_the_count():
    assert str(spearman([1, 2, 3, 4], [10, 20, 30, 40], seed=1)) == "+1.00 [+1.00, +1.00] (n = 4)"

"""Differences of accuracies over seeds, against SciPy's t-test."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_ind

from src.search.analysis.difference import difference

accuracies = st.lists(st.integers(0, 400).map(lambda k: k / 4), min_size=2, max_size=5)


@settings(max_examples=15)
@given(accuracies, accuracies)
def test_the_interval_is_welchs(first, second):
    found = difference(first, second)
    assert found.mean == pytest.approx(sum(first) / len(first) - sum(second) / len(second), abs=1e-9)
    if len(set(first)) > 1 < len(set(second)):
        theirs = ttest_ind(first, second, equal_var=False).confidence_interval(0.95)
        assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))


@pytest.mark.parametrize(
    "first, second, verdict",
    [
        ([90, 91, 92], [80, 81, 82], "better"),
        ([80, 81, 82], [90, 91, 92], "worse"),
        ([90, 91, 92], [90, 92, 93], "tie"),
        ([90, 90], [90, 90], "tie"),
        ([91, 91], [90, 90], "better"),
        ([91], [90, 90], "not known"),
        ([], [90, 90], "not known"),
    ],
)
def test_what_the_interval_does_not_show_is_a_tie(first, second, verdict):
    assert difference(first, second).verdict == verdict

"""Fronts and the NSGA-III selection, against their definitions by brute force."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.errors import UserError
from src.search.analysis.front import UNRANKED, front_ranks, select_networks

# Few different numbers, so that equal points and equal coordinates occur.
points = st.lists(st.tuples(st.sampled_from([10, 20, 30, 40, np.nan, np.inf]), st.integers(1, 6)), max_size=25)


def dominates(first, second):
    return first[0] >= second[0] and first[1] <= second[1] and first != second


def peeled(points):
    """Return the ranks by taking away one Pareto front after another."""
    left = {index for index, (accuracy, _) in enumerate(points) if np.isfinite(accuracy)}
    ranks, rank = [UNRANKED] * len(points), 0
    while left:
        front = [one for one in left if not any(dominates(points[other], points[one]) for other in left)]
        for index in front:
            ranks[index] = rank
        left, rank = left.difference(front), rank + 1
    return ranks


def cloud(count, seed=0):
    random = np.random.default_rng(seed)
    macs = np.exp(random.uniform(np.log(1e6), np.log(3e7), count))
    return 90 - 30 / np.sqrt(macs / 1e6) - random.exponential(4, count), macs


@settings(max_examples=30)
@given(points)
def test_ranks_are_those_of_fronts_that_are_taken_away_one_by_one(points):
    accuracy, macs = [point[0] for point in points], [point[1] for point in points]
    assert front_ranks(accuracy, macs).tolist() == peeled(points)


@settings(max_examples=30)
@given(points, st.integers(2, 8), st.integers(0, 3))
def test_a_selection_has_different_points_that_no_unselected_one_dominates(points, count, seed):
    accuracy, macs = [point[0] for point in points], [point[1] for point in points]
    chosen = select_networks(accuracy, macs, count, seed)
    different = {point for point in points if np.isfinite(point[0])}
    found = [points[index] for index, _ in chosen]
    assert len(set(found)) == len(found) == min(count, len(different))
    assert not any(dominates(other, point) for other in different.difference(found) for point in found)
    assert [rank for _, rank in chosen] == [peeled(points)[index] for index, _ in chosen]
    assert [point[1] for point in found] == sorted(point[1] for point in found)


def test_the_same_seed_selects_the_same_networks_and_their_order_does_not_matter():
    accuracy, macs = cloud(300)
    first = {(accuracy[index], macs[index]) for index, _ in select_networks(accuracy, macs, 20, seed=1)}
    turned = select_networks(accuracy[::-1], macs[::-1], 20, seed=1)
    assert len(first) == 20
    assert select_networks(accuracy, macs, 20, seed=1) == select_networks(accuracy, macs, 20, seed=1)
    assert len(first & {(accuracy[::-1][index], macs[::-1][index]) for index, _ in turned}) >= 18


def test_the_selection_spreads_over_the_budgets():
    """The objective is ln MACs: each of the five octaves gets a network."""
    accuracy, macs = cloud(2000)
    octaves = {int(np.log2(macs[index] / 1e6)) for index, _ in select_networks(accuracy, macs, 20, seed=1)}
    assert octaves >= {0, 1, 2, 3, 4}


def test_what_fills_up_a_small_front_is_marked():
    chosen = select_networks([50, 60, 40, 55], [1, 2, 3, 4], 4, seed=1)
    assert [(index, rank) for index, rank in chosen] == [(0, 0), (1, 0), (2, 1), (3, 1)]


def test_without_pymoo_one_line_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "pymoo.algorithms.moo.nsga3", None)
    with pytest.raises(UserError, match="needs pymoo"):
        select_networks(*cloud(30), 5, seed=1)

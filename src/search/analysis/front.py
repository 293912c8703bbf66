"""The Pareto front of accuracy against multiply-adds, and the NSGA-III selection of networks near it."""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from src.errors import UserError

UNRANKED = -1  # the rank of a network whose training has not finished or gave no finite accuracy


class Selected(NamedTuple):
    """A chosen network: its row in the arrays, and the number of its front. Rank 0 is the Pareto front."""

    row: int
    rank: int


def front_ranks(accuracy: ArrayLike, macs: ArrayLike) -> np.ndarray:
    """Return the number of the front that each of N networks is on, (N,): 0 for the Pareto front.

    A network dominates another if it is at least as accurate, costs at most as much, and differs in one of the two.
    Front k is the Pareto front of what remains without the fronts before it. Equal points share their rank.

    Args:
        accuracy: (N,), any unit; a value that is not finite has the rank `UNRANKED`.
        macs: (N,), above 0.
    """
    accuracy, macs = np.asarray(accuracy, float), np.asarray(macs, float)
    ranks = np.full(len(accuracy), UNRANKED)
    usable = np.flatnonzero(np.isfinite(accuracy) & np.isfinite(macs))
    # By cost, and of equal cost the most accurate first: then no network is dominated by a later one, and a front
    # dominates a network unless the network is more accurate than all of the front so far. n log n, not n^2.
    lowest: list[float] = []  # minus the highest accuracy of each front so far, which rises from front to front
    previous = None
    for index in usable[np.lexsort((-accuracy[usable], macs[usable]))]:
        point = accuracy[index], macs[index]
        if point != previous:
            rank = bisect_right(lowest, -accuracy[index])
            lowest[rank : rank + 1] = [-accuracy[index]]
            previous = point
        ranks[index] = rank
    return ranks


def select_networks(accuracy: ArrayLike, macs: ArrayLike, count: int, seed: int) -> list[Selected]:
    """Return the NSGA-III selection of `count` networks, fewest multiply-adds first.

    The objectives are accuracy and ln MACs, because the formula is fitted over ln c. The reference directions are
    `count` equal steps (Das and Dennis). If the Pareto front is smaller than `count`, networks of the next fronts
    follow; their rank is above 0. Equal points count once, and networks without a finite accuracy do not count.

    Args:
        accuracy: (N,), any unit.
        macs: (N,), above 0.
        count: of networks to select, at least 2.
        seed: of the random choice between networks that are equally good for a direction.

    Returns:
        At most `count` networks; fewer if there are fewer different points.

    Raises:
        UserError: pymoo is not installed.
    """
    accuracy, macs = np.asarray(accuracy, float), np.asarray(macs, float)
    ranks = front_ranks(accuracy, macs)
    points = np.stack([-accuracy, np.log(macs)], axis=1)
    candidates = np.flatnonzero(ranks != UNRANKED)
    _, first = np.unique(points[candidates], axis=0, return_index=True)
    candidates = np.sort(candidates[first])
    chosen = candidates[_survivors(points[candidates], count, seed)] if len(candidates) > count else candidates
    return [Selected(int(index), int(ranks[index])) for index in chosen[np.argsort(macs[chosen], kind="stable")]]


def _survivors(points: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Return the indices of the `count` rows of (N, 2) points, both coordinates minimized, that NSGA-III keeps."""
    try:
        from pymoo.algorithms.moo.nsga3 import ReferenceDirectionSurvival
        from pymoo.core.population import Population
        from pymoo.core.problem import Problem
        from pymoo.util.ref_dirs import get_reference_directions
    except ImportError:
        raise UserError("the selection by NSGA-III needs pymoo; `pip install '.[search]'`") from None
    directions = get_reference_directions("das-dennis", 2, n_partitions=count - 1)
    population = Population.new(F=points, index=np.arange(len(points)))
    survival = ReferenceDirectionSurvival(directions)
    random = np.random.default_rng(seed)  # without it, two calls differ
    return survival.do(Problem(n_obj=2), population, n_survive=count, random_state=random).get("index")

"""Multi-objective evolution of vectors of whole numbers by pymoo's NSGA-II, asked and told generation by generation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.core.problem import Problem
from pymoo.operators.crossover.sbx import SBX
from pymoo.operators.mutation.pm import PM
from pymoo.operators.repair.rounding import RoundingRepair


class Evolution:
    """Proposes vectors from the objectives of earlier ones. The same seed and objectives give the same vectors.

    The operators are those that pymoo names for whole numbers: simulated binary crossover and polynomial mutation,
    both rounded.

    Args:
        sizes: number i of a vector is from 0 to sizes[i] - 1.
        first: a vector of the first generation; the others are random.
        population: vectors of a generation.
        seed: of all random draws.
    """

    def __init__(self, sizes: Sequence[int], first: Sequence[int], population: int, seed: int) -> None:
        random = np.random.default_rng(seed)
        initial = np.vstack([first, random.integers(0, sizes, (population - 1, len(sizes)))])
        self.algorithm = NSGA2(
            pop_size=population,
            sampling=initial,
            crossover=SBX(vtype=float, repair=RoundingRepair()),
            mutation=PM(vtype=float, repair=RoundingRepair()),
        )
        largest = np.array(sizes) - 1
        problem = Problem(n_var=len(sizes), n_obj=2, xl=np.zeros(len(sizes)), xu=largest, vtype=int)
        self.algorithm.setup(problem, seed=seed, verbose=False)

    def ask(self) -> list[tuple[int, ...]]:
        """Return the vectors of the next generation; none if no new ones are found."""
        self.asked = self.algorithm.ask()
        return [] if self.asked is None else [tuple(map(int, vector)) for vector in self.asked.get("X")]

    def tell(self, objectives: Sequence[tuple[float, float]]) -> None:
        """Give the two objectives, both minimized, of each vector of the last generation."""
        self.asked.set("F", np.array(objectives, float))
        self.algorithm.tell(infills=self.asked)

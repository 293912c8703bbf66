"""search.py compound: the coefficients of compound scaling by a grid search (EfficientNet, section 3.3).

Each candidate scales the base by its alpha, beta and gamma at phi = 1. In the end the best one is compared, at equal
multiply-adds, with the published coefficients and with scaling by depth, width or resolution alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import product
from math import sqrt

from src.config.study import CompoundConfig
from src.design.architecture import Architecture
from src.design.cost import total_cost
from src.design.scaling import (
    EFFICIENTNET_COMPOUND,
    Compound,
    compound_for_macs,
    compound_grid,
    compound_scale,
)
from src.errors import UserError
from src.search.methods.finals import final_trials
from src.search.methods.reward import reward
from src.search.study.trial import Note, Result, Rounds, Trial, rank

GRID = "grid"
FOUND, PUBLISHED = "found coefficients", "published coefficients"
SLACK = 1e-6  # of a distance in the grid, whose values are rounded to 1e-9


class CompoundSearch:
    """Proposes the trials of a study of compound coefficients.

    Args:
        config: its settings.
        base: the network to scale, at its resolution in this study.
        classes: number of classes of the data.

    Raises:
        UserError: the grid is empty.
    """

    def __init__(self, config: CompoundConfig, base: Architecture, classes: int) -> None:
        self.config, self.base, self.classes = config, base, classes
        self.base_macs = total_cost(base, classes).macs
        grid = compound_grid(config.grid_step, config.growth, config.grid_tolerance)
        if not grid:
            raise UserError(
                f"no alpha, beta and gamma {config.grid_step:g} apart have alpha * beta^2 * gamma^2 within "
                f"{config.grid_tolerance:g} of {config.growth:g}; lower grid_step or raise grid_tolerance"
            )
        networks: dict[Architecture, list[Compound]] = {}
        for coefficients in grid:
            networks.setdefault(replace(self.scaled(coefficients), name=""), []).append(coefficients)
        self.groups = {group[0]: group for group in networks.values()}  # coefficients of each network, by the first

    def expected_trials(self) -> int:
        return len(self.groups) + len(self._rules(EFFICIENTNET_COMPOUND)) * self.config.final_seeds

    def rounds(self) -> Rounds:
        results = yield self.candidates()
        best = self.best(results)
        if best and self.config.final_seeds:
            yield self.finals(coefficients_of(best))

    def candidates(self) -> list[Trial]:
        """Return the different networks of the grid. Coefficients that round to the same network share it."""
        return [self._trial(first) for first in self.groups]

    def scaled(self, coefficients: Compound, phi: float = 1) -> Architecture:
        """Return the base scaled by coefficients."""
        text = "_".join(f"{value:g}" for value in coefficients)
        return compound_scale(self.base, phi, coefficients, f"{self.base.name}_compound_{text}_phi{phi:g}")

    def score(self, result: Result) -> float:
        """Return the accuracy, less what MACs above growth cost and plus what MACs below give; nan if not done.

        alpha * beta^2 * gamma^2 is an approximation: repeats are rounded up, and so candidates have 1.9 to 3.8 times
        the MACs of a small base. The correction is the reward of EfficientNet's own search.
        """
        return reward(result, self.config.growth * self.base_macs, self.config.exponent)

    def best(self, results: Iterable[Result]) -> Result | None:
        """Return the candidate of the highest score; None if no training is done."""
        return min(self._done(results), key=lambda result: (-self.score(result), rank(result)), default=None)

    def neighbors(self, results: Iterable[Result]) -> list[Result]:
        """Return the candidates around the best one, each coefficient at most a grid step away; best first."""
        done = self._done(results)
        best = self.best(done)
        others = (result for result in done if best and result is not best and self._are_near(result, best))
        return sorted(others, key=self.score, reverse=True)

    def family(self, coefficients: Compound) -> list[Architecture]:
        """Return the base scaled by coefficients with phi = 1, 2, ..."""
        return [self.scaled(coefficients, phi) for phi in range(1, self.config.family + 1)]

    def finals(self, coefficients: Compound) -> list[Trial]:
        """Return trainings of the found network and of other rules' networks, at its MACs."""
        found = self.scaled(coefficients)
        macs = total_cost(found, self.classes).macs
        networks = {FOUND: found}
        for rule, others in self._rules(coefficients).items():
            if rule != FOUND:
                networks[rule] = self._at_macs(others, macs, rule)
        return final_trials(networks, self.base_macs, self.classes, self.config.seed, self.config.final_seeds)

    def _rules(self, found: Compound) -> dict[str, Compound]:
        growth = self.config.growth
        rules = {FOUND: found, PUBLISHED: EFFICIENTNET_COMPOUND}
        rules |= {"depth alone": Compound(growth, 1, 1), "width alone": Compound(1, sqrt(growth), 1)}
        return rules | {"resolution alone": Compound(1, 1, sqrt(growth))}

    def _at_macs(self, coefficients: Compound, macs: float, rule: str) -> Architecture:
        network = compound_for_macs(self.base, macs, coefficients, self.classes)
        return replace(network, name=f"{self.base.name}_{rule.replace(' ', '_')}")

    def _are_near(self, first: Result, second: Result) -> bool:
        pairs = product(*(self.groups[coefficients_of(result)] for result in (first, second)))
        limit = self.config.grid_step + SLACK
        return any(max(abs(x - y) for x, y in zip(*pair)) <= limit for pair in pairs)

    def _trial(self, coefficients: Compound) -> Trial:
        network = self.scaled(coefficients)
        c = total_cost(network, self.classes).macs / self.base_macs
        notes: dict[str, Note] = {**coefficients._asdict(), "c": round(c, 6)}
        if others := self.groups[coefficients][1:]:
            notes["same"] = ", ".join("/".join(f"{value:g}" for value in other) for other in others)
        return Trial(network, GRID, self.config.seed, notes)

    @staticmethod
    def _done(results: Iterable[Result]) -> list[Result]:
        return [result for result in results if result.trial.group == GRID and result.is_done]


def coefficients_of(result: Result) -> Compound:
    """Return alpha, beta and gamma of a candidate."""
    return Compound(*(float(result.trial.notes[key]) for key in Compound._fields))

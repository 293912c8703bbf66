"""search.py baseline: evolve a network in the space of MnasNet (CVPR 2019), from which EfficientNet-B0 came.

NSGA-II proposes generations of networks by accuracy and multiply-adds. The reward top-1 * (MACs / target)^w chooses
one network. In the end it is compared with the base, whose width is scaled to the same MACs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from math import log
from types import ModuleType

from src.config.study import BaselineConfig
from src.design.architecture import Architecture
from src.design.cost import total_cost
from src.design.scaling import tiny_scale
from src.design.shrink import solve_width
from src.errors import UserError
from src.search.methods.finals import final_trials
from src.search.methods.reward import reward
from src.search.methods.space import Space
from src.search.study.trial import Result, Rounds, Trial, rank

GENERATION = "generation"  # groups: "generation 1", "generation 2", ...
FOUND, BASE = "found network", "base at equal MACs"
FAILED = (0.0, 100.0)  # objectives of a failed training, in both worse than those of any finished one


class Baseline:
    """Proposes the trials of a study that evolves a network.

    Args:
        config: its settings.
        base: the network around which the space lies, at its resolution in this study.
        classes: number of classes of the data.

    Raises:
        UserError: pymoo is not installed.
    """

    def __init__(self, config: BaselineConfig, base: Architecture, classes: int) -> None:
        self.config, self.base, self.classes = config, base, classes
        self.space = Space(base)
        self.base_macs = total_cost(base, classes).macs
        self.target = config.target * self.base_macs
        self.evolution = _evolution_module()

    def expected_trials(self) -> int:
        return self.config.population * self.config.generations + 2 * self.config.final_seeds

    def rounds(self) -> Rounds:
        config, space = self.config, self.space
        evolution = self.evolution.Evolution(space.sizes, space.start, config.population, config.seed)
        known: dict[Architecture, Result] = {}
        for generation in range(1, config.generations + 1):
            networks = [space.network(vector) for vector in evolution.ask()]
            new = [network for network in dict.fromkeys(networks) if network not in known]
            if new:
                results = yield [self._trial(network, generation, index) for index, network in enumerate(new, 1)]
                known.update(zip(new, results))
            if not networks:
                break
            evolution.tell([self.objectives(known[network]) for network in networks])
        best = self.best(known.values())
        if best and config.final_seeds:
            yield self.finals(best.trial.architecture)

    def objectives(self, result: Result) -> tuple[float, float]:
        """Return what the evolution minimizes: minus the accuracy in percent, and ln MACs."""
        return (-result.accuracy, log(result.macs)) if result.is_done else FAILED

    def reward(self, result: Result) -> float:
        """Return top-1 * (MACs / target)^w, in percent; nan if the training is not done."""
        return reward(result, self.target, self.config.exponent)

    def best(self, results: Iterable[Result]) -> Result | None:
        """Return the result of the highest reward among those of all generations; None if no training is done."""
        done = [result for result in self.searched(results) if result.is_done]
        return min(done, key=lambda result: (-self.reward(result), rank(result)), default=None)

    @staticmethod
    def searched(results: Iterable[Result]) -> list[Result]:
        """Return the results of the search, without those of the final comparison."""
        return [result for result in results if result.trial.group.startswith(GENERATION)]

    def finals(self, found: Architecture) -> list[Trial]:
        """Return trainings of the found network and of the base with its width scaled to the same MACs."""
        width = solve_width(self.base, 1, total_cost(found, self.classes).macs, self.classes)
        scaled = tiny_scale(self.base, 1, width, 1, f"{self.base.name}_width_{width:g}")
        networks = {FOUND: found, BASE: replace(scaled, family=self.base.family)}
        return final_trials(networks, self.base_macs, self.classes, self.config.seed, self.config.final_seeds)

    def _trial(self, network: Architecture, generation: int, index: int) -> Trial:
        c = total_cost(network, self.classes).macs / self.base_macs
        named = replace(network, name=f"{self.base.name}_generation{generation}_{index}")
        return Trial(named, f"{GENERATION} {generation}", self.config.seed, {"c": round(c, 6)})


def _evolution_module() -> ModuleType:
    """Import the evolution, which alone needs pymoo."""
    try:
        from src.search.methods import evolution
    except ImportError:
        raise UserError(
            "search.py baseline evolves networks by pymoo, which is missing; `pip install '.[search]'`"
        ) from None
    return evolution

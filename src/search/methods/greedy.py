"""search.py greedy: grow a network step by step where it gains most (Greedy Network Enlarging).

Each step multiplies the multiply-adds by the same factor. Its candidates spend them on the depth or the width of one
stage, or on the resolution. All are trained, and the best is the network that the next step grows. In the end the
found network is compared with the uniformly scaled one of equal MACs.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import sqrt

import numpy as np

from src.config.study import GreedyConfig
from src.design.architecture import Architecture
from src.design.cost import total_cost
from src.design.growth import Budget, Growth, growths
from src.design.scaling import compound_for_macs
from src.errors import UserError
from src.search.methods.finals import SEEDS, final_trials
from src.search.study.trial import Note, Result, Rounds, Trial, rank

logger = logging.getLogger(__name__)

BASE, STEP = "base", "step"  # groups: "base", "step 1", "step 2", ...
FOUND, UNIFORM = "greedy", "uniform scaling"
TIE_DEVIATIONS = 2  # two networks tie if their difference is below so many standard deviations of such a difference


class Greedy:
    """Proposes the trials of a study that enlarges a network.

    Args:
        config: its settings.
        base: the network to enlarge, at its resolution in this study.
        classes: number of classes of the data.

    Raises:
        UserError: no candidate meets the budget of the first step.
    """

    def __init__(self, config: GreedyConfig, base: Architecture, classes: int) -> None:
        self.config, self.base, self.classes = config, base, classes
        self.base_macs = total_cost(base, classes).macs
        if not self.step_trials(1, base):
            raise UserError(self._no_candidates(1, base))

    def expected_trials(self) -> int:
        config = self.config
        return self._base_seeds() + config.steps * (2 * len(self.base.stages) + 1) + 2 * config.final_seeds

    def rounds(self) -> Rounds:
        network = self.base
        for step in range(1, self.config.steps + 1):
            candidates = self.step_trials(step, network)
            if not candidates:
                logger.warning("%s; the search ends here", self._no_candidates(step, network))
                break
            results = yield [*(self.base_trials() if step == 1 else ()), *candidates]
            best = self.best_of_step(results, step)
            if best is None:
                logger.warning("step %d: no training of a candidate was finished; the search ends here", step)
                break
            network = best.trial.architecture
        if self.config.final_seeds and network != self.base:
            yield self.finals(network)

    def base_trials(self) -> list[Trial]:
        """Return trainings of the base, one for each seed: they give the spread between seeds."""
        seeds = [(self.config.seed + index) % SEEDS for index in range(self._base_seeds())]
        return [Trial(self.base, BASE, seed, {"c": 1.0}) for seed in seeds]

    def step_trials(self, step: int, network: Architecture) -> list[Trial]:
        """Return the candidates of a step, which grow `network`."""
        found, _ = self._growths(step, network)
        return [self._trial(step, growth) for growth in found]

    def exhausted(self, step: int, network: Architecture) -> list[str]:
        """Return the names of what `network` cannot grow by in a step, such as `depth of stage 6`."""
        return self._growths(step, network)[1]

    def finals(self, found: Architecture) -> list[Trial]:
        """Return trainings of the found network and of the uniformly scaled one of equal MACs."""
        macs = total_cost(found, self.classes).macs
        uniform = compound_for_macs(self.base, macs, num_classes=self.classes)
        networks = {FOUND: found, UNIFORM: replace(uniform, name=f"{self.base.name}_uniform")}
        return final_trials(networks, self.base_macs, self.classes, self.config.seed, self.config.final_seeds)

    def best_of_step(self, results: Iterable[Result], step: int) -> Result | None:
        """Return the candidate that a step keeps; None if no training is done."""
        done = [result for result in results if result.trial.group == f"{STEP} {step}" and result.is_done]
        return min(done, key=rank, default=None)

    def trace(self, results: Sequence[Result]) -> list[Result]:
        """Return the base and the candidate that each step has kept, as far as all candidates of a step have ended.

        The base stands there with its first training that is done.
        """
        base = [result for result in results if result.trial.group == BASE and result.is_done][:1]
        steps = range(1, self.config.steps + 1)
        kept: list[Result] = []
        for step in steps:
            network = kept[-1].trial.architecture if kept else self.base
            ended = [result for result in results if result.trial.group == f"{STEP} {step}"]
            best = self.best_of_step(ended, step)
            if best is None or len(ended) < len(self.step_trials(step, network)):
                break
            kept.append(best)
        return [*base, *kept]

    def ties(self, results: Sequence[Result], step: int) -> list[Result]:
        """Return the candidates of a step that are as good as the kept one, within the noise of seeds; best first."""
        best, noise = self.best_of_step(results, step), self.noise(results)
        if best is None:
            return []
        others = (result for result in results if result.trial.group == f"{STEP} {step}" and result is not best)
        return sorted((other for other in others if best.accuracy - other.accuracy <= noise), key=rank)

    def noise(self, results: Sequence[Result]) -> float:
        """Return the largest difference of two accuracies, in percentage points, that seeds alone explain.

        It is two standard deviations of a difference of two trainings, from the base's seeds; 0 for fewer than two.
        """
        base = [result.accuracy for result in results if result.trial.group == BASE and result.is_done]
        return TIE_DEVIATIONS * sqrt(2) * float(np.std(base, ddof=1)) if len(base) > 1 else 0.0

    def budget(self, step: int) -> Budget:
        """Return the budget of a step: equal factors lead from the base's MACs to the target."""
        config = self.config
        macs = self.base_macs * config.target ** (step / config.steps)
        return Budget(macs, config.tolerance, config.blocks, self.classes)

    def _growths(self, step: int, network: Architecture) -> tuple[list[Growth], list[str]]:
        return growths(network, self.budget(step))

    def _trial(self, step: int, growth: Growth) -> Trial:
        notes: dict[str, Note] = {"step": step, "dimension": growth.dimension}
        if growth.stage is not None:
            notes["stage"] = growth.stage
        c = total_cost(growth.network, self.classes).macs / self.base_macs
        name = f"{self.base.name}_step{step}_{growth.place.replace(' of ', '_').replace(' ', '')}"
        notes |= {"change": growth.change, "c": round(c, 6)}
        return Trial(replace(growth.network, name=name), f"{STEP} {step}", self.config.seed, notes)

    def _no_candidates(self, step: int, network: Architecture) -> str:
        grown, macs = total_cost(network, self.classes).macs, self.budget(step).macs
        return (
            f"step {step} has no candidate: {network.name} has {grown / 1e6:.4g} M MACs, and no larger stage or input "
            f"makes {macs / 1e6:.4g} M within {self.config.tolerance:g}; raise tolerance or blocks, or lower steps"
        )

    def _base_seeds(self) -> int:
        return max(1, self.config.final_seeds)

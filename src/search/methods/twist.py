"""search.py twist: how resolution, depth and width of the best networks depend on the budget (Model Rubik's Cube).

The first round trains networks of one budget, with random r and d, beside the inverse giant network, and networks of
all budgets, with random r, d and w. NSGA-III selects the best of these, and Gaussian processes fit the tiny formula on
them. The last round compares the networks of this formula with those of the published one and with inverse giants.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import exp, inf, log

import numpy as np

from src.config.study import TwistConfig
from src.design.architecture import Architecture
from src.design.cost import total_cost
from src.design.formula import Formula, fit, published_formula
from src.design.points import MIN_BUDGETS, Point
from src.design.scaling import compound_for_macs, tiny_scale
from src.design.shrink import shrink, solve_width
from src.errors import UserError
from src.search.analysis.front import select_networks
from src.search.study.trial import Note, Result, Rounds, Trial

ONE_BUDGET, ALL_BUDGETS, INVERSE_GIANT, FINAL = "one budget", "all budgets", "inverse giant", "final"
BINS = 10  # of ln c: each gets the same number of networks, else most would be nearly as large as the base
MOST_DRAWS = 2000  # for each wanted network; of B0 at 64 and 224 pixels, 1 to 30 are needed


class Twist:
    """Proposes the trials of a study of r, d and w.

    Args:
        config: its settings.
        base: the network to shrink, at its resolution in this study.
        classes: number of classes of the data.
    """

    def __init__(self, config: TwistConfig, base: Architecture, classes: int) -> None:
        self.config, self.base, self.classes = config, base, classes
        self.base_macs = total_cost(base, classes).macs

    def expected_trials(self) -> int:
        config = self.config
        finals = len(RULES) * len(config.final_budgets) * config.final_seeds
        return config.trials + config.budget_trials + bool(config.budget_trials) + finals

    def rounds(self) -> Rounds:
        results = yield [*self.one_budget(), *self.all_budgets()]
        if self.config.final_seeds and (formula := self.formula(results)):
            yield self.finals(formula)

    def one_budget(self) -> list[Trial]:
        """Return networks of one budget: the inverse giant, and those of random r and d whose w is solved."""
        if not self.config.budget_trials:
            return []
        macs = self.config.budget * self.base_macs
        generator = np.random.default_rng([self.config.seed, 1])

        def draw() -> Trial:
            pixels, depth = self._draw_pixels(generator), _log_uniform(generator, self.config.d_range)
            width = solve_width(self.base.at(pixels), depth, macs, self.classes)
            return self._trial(ONE_BUDGET, tiny_scale(self.base.at(pixels), 1, width, depth), depth, width)

        def meets_budget(trial: Trial) -> bool:
            return abs(float(trial.notes["c"]) / self.config.budget - 1) <= self.config.tolerance

        giant = self._inverse_giant(INVERSE_GIANT, macs)
        return [giant, *_distinct(self.config.budget_trials, draw, meets_budget)]

    def all_budgets(self) -> list[Trial]:
        """Return networks of random r, d and w, as many in each of `BINS` equal parts of the range of ln c."""
        generator = np.random.default_rng([self.config.seed, 2])
        low, high = map(log, self.config.c_range)
        room = [len(part) for part in np.array_split(range(self.config.trials), BINS)]

        def draw() -> Trial:
            pixels, depth = self._draw_pixels(generator), _log_uniform(generator, self.config.d_range)
            width = _log_uniform(generator, self.config.w_range)
            return self._trial(ALL_BUDGETS, tiny_scale(self.base.at(pixels), 1, width, depth), depth, width)

        def has_room(trial: Trial) -> bool:
            share = (log(float(trial.notes["c"])) - low) / (high - low or inf)
            place = min(int(share * BINS), BINS - 1)
            if not 0 <= share <= 1 or not room[place]:
                return False
            room[place] -= 1
            return True

        return _distinct(self.config.trials, draw, has_room)

    def formula(self, results: Sequence[Result]) -> Formula | None:
        """Return the tiny formula of the selected networks; None if there are too few budgets among them."""
        points = [Point(*(float(result.trial.notes[key]) for key in "crd")) for result in self.selected(results)]
        return fit(points) if len({point.c for point in points}) >= MIN_BUDGETS else None

    def selected(self, results: Sequence[Result]) -> list[Result]:
        """Return the networks of all budgets that NSGA-III selects, fewest multiply-adds first."""
        done = [result for result in results if result.trial.group == ALL_BUDGETS and result.is_done]
        accuracies, macs = [result.accuracy for result in done], [result.macs for result in done]
        chosen = select_networks(accuracies, macs, self.config.select, self.config.seed)
        return [done[index] for index, _ in chosen]

    def finals(self, formula: Formula) -> list[Trial]:
        """Return the networks of three rules at equal MACs, each with several seeds."""
        networks = []
        for macs in (c * self.base_macs for c in self.config.final_budgets):
            networks.append(self._inverse_giant(FINAL, macs, rule=INVERSE_GIANT))
            networks.append(self._shrunk(macs, published_formula(), "published formula"))
            networks.append(self._shrunk(macs, formula, "new formula"))
        return [replace(trial, seed=self.config.seed + k) for trial in networks for k in range(self.config.final_seeds)]

    def _inverse_giant(self, group: str, macs: float, rule: str = "") -> Trial:
        network = compound_for_macs(self.base, macs, num_classes=self.classes)
        return self._trial(group, network, rule=rule)

    def _shrunk(self, macs: float, formula: Formula, rule: str) -> Trial:
        found = shrink(self.base, macs, formula, num_classes=self.classes)
        return self._trial(FINAL, found.architecture, found.depth, found.w.value, rule=rule)

    def _trial(self, group: str, network: Architecture, depth: float = 0, width: float = 0, rule: str = "") -> Trial:
        """Return the trial of a network, with its factors of the base's MACs, resolution, depth and width.

        r is that of the whole pixels, d the middle of the depths that round to the same repeats, and c is counted with
        the classes of the data. A depth or width of 0 is not known: then blocks or channels are counted.
        """
        depth, width = depth or _ratio(network, self.base, "repeats"), width or _ratio(network, self.base, "channels")
        c = total_cost(network, self.classes).macs / self.base_macs
        r, d = network.resolution / self.base.resolution, _middle_depth(self.base, network, depth)
        factors = {"c": c, "r": r, "d": d, "w": width}
        notes: dict[str, Note] = {key: round(factor, 6) for key, factor in factors.items()}
        return Trial(network, group, self.config.seed, notes | ({"rule": rule} if rule else {}))

    def _draw_pixels(self, generator: np.random.Generator) -> int:
        return int(self.base.resolution * _log_uniform(generator, self.config.r_range))


RULES = (INVERSE_GIANT, "published formula", "new formula")  # of the final comparison


def _log_uniform(generator: np.random.Generator, pair: tuple[float, float]) -> float:
    return exp(generator.uniform(log(pair[0]), log(pair[1])))


def _ratio(network: Architecture, base: Architecture, key: str) -> float:
    """Return the sum of `key` over all stages, as a factor of the base's."""
    return sum(getattr(stage, key) for stage in network.stages) / sum(getattr(stage, key) for stage in base.stages)


def _middle_depth(base: Architecture, network: Architecture, depth: float) -> float:
    """Return the middle of the depths that give the repeats of `network`; `depth` if these have no lower bound."""
    repeats = [(before.repeats, after.repeats) for before, after in zip(base.stages, network.stages)]
    low = max(((after - 0.5) / before for before, after in repeats if after > 1), default=0)
    high = min((after + 0.5) / before for before, after in repeats)
    return (low + high) / 2 if low else depth


def _distinct(count: int, draw: Callable[[], Trial], accept: Callable[[Trial], bool]) -> list[Trial]:
    """Return `count` accepted trials whose networks differ, without regard to their names.

    Raises:
        UserError: the settings allow too few networks.
    """
    found: dict[Architecture, Trial] = {}
    for _ in range(count * MOST_DRAWS):
        if len(found) == count:
            break
        trial = draw()
        network = replace(trial.architecture, name="")
        if network not in found and accept(trial):
            found[network] = trial
    if len(found) < count:
        raise UserError(
            f"only {len(found)} of {count} different networks were found in {count * MOST_DRAWS:,} draws; widen the "
            "ranges of c, r, d and w or the tolerance, ask for fewer trials, or raise --input_size"
        )
    return list(found.values())

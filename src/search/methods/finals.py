"""The final comparison of a study: a few networks, each trained with the same new seeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from src.design.architecture import Architecture
from src.design.cost import total_cost
from src.search.study.trial import Note, Trial

FINAL = "final"
SEEDS = 2**31  # seeds are below this


def final_trials(
    networks: Mapping[str, Architecture], base_macs: int, classes: int, seed: int, count: int
) -> list[Trial]:
    """Return `count` trainings of each network, with the note `rule`.

    Their seeds begin after `seed`, with which the study has chosen the found network: its score there is too good,
    because it is the highest of many. A network that several rules make is trained for the first of them only.

    Args:
        networks: by the rule that made them.
        base_macs: multiply-adds of the study's base, the unit of the note `c`.
        classes: number of classes of the data.
        seed: of the study.
        count: of trainings of each network.
    """
    trials: list[Trial] = []
    different: dict[Architecture, str] = {}
    for rule, network in networks.items():
        if different.setdefault(replace(network, name=""), rule) != rule:
            continue
        notes: dict[str, Note] = {"c": round(total_cost(network, classes).macs / base_macs, 6), "rule": rule}
        trials += [Trial(network, FINAL, (seed + 1 + index) % SEEDS, notes) for index in range(count)]
    return trials

"""The networks of a study, each with the results of all its seeds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cached_property
from math import nan
from operator import attrgetter

import numpy as np

from src.design.architecture import Architecture
from src.search.study.trial import Note, Result

NAMELESS = attrgetter(*(field.name for field in fields(Architecture) if field.name != "name"))  # what a network is


@dataclass(frozen=True)
class Network:
    """A network and all its trainings, which differ in their seeds."""

    results: tuple[Result, ...]

    @property
    def architecture(self) -> Architecture:
        return self.results[0].trial.architecture

    @property
    def number(self) -> int:
        """The number of its first trial."""
        return self.results[0].number

    @property
    def macs(self) -> int:
        return self.results[0].macs

    @property
    def parameters(self) -> int:
        return self.results[0].parameters

    @cached_property
    def top1s(self) -> tuple[float, ...]:
        """The accuracies of its trainings that are done, in percent."""
        return tuple(result.top1 for result in self.results if result.top1 is not None)

    @property
    def top1(self) -> float:
        """Their mean; nan if no training is done."""
        return float(np.mean(self.top1s)) if self.top1s else nan

    @property
    def spread(self) -> float:
        """Their standard deviation (n - 1), in percentage points; nan for fewer than two."""
        return float(np.std(self.top1s, ddof=1)) if len(self.top1s) > 1 else nan

    def note(self, key: str) -> Note | None:
        """Return what the method noted about the network."""
        return self.results[0].trial.notes.get(key)


def networks_of(results: Iterable[Result]) -> list[Network]:
    """Return the different networks of some results, whatever their names are, in the order of their first trials."""
    found: dict[tuple[object, ...], list[Result]] = {}
    for result in sorted(results, key=lambda result: result.number):
        found.setdefault(NAMELESS(result.trial.architecture), []).append(result)
    return [Network(tuple(trainings)) for trainings in found.values()]


def pooled_spread(networks: Iterable[Network]) -> float:
    """Return the standard deviation over seeds that all networks together show, in percentage points.

    Each network counts with its degrees of freedom, the number of its trainings less one. Returns nan if there is none.
    """
    groups = [network.top1s for network in networks if len(network.top1s) > 1]
    freedom = sum(len(top1s) - 1 for top1s in groups)
    squares = sum(float(np.var(top1s)) * len(top1s) for top1s in groups)
    return float(np.sqrt(squares / freedom)) if freedom else nan

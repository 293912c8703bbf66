"""Replay the rounds of a method with the results of a study, to see whether trials are missing."""

from __future__ import annotations

from collections.abc import Sequence

from src.search.study.trial import Result, Rounds


def has_finished(rounds: Rounds, results: Sequence[Result]) -> bool:
    """Return whether the results are those of all rounds.

    Only the method knows its last round: steps may end early, and networks of two rules may be the same one.

    Args:
        rounds: of the method, from their beginning. They are random draws and costs, 1 to 13 ms a trial.
        results: of the study, by their numbers.
    """
    count = 0
    try:
        trials = next(rounds)
        while count + len(trials) <= len(results):
            found = list(results[count : count + len(trials)])
            count += len(found)
            trials = rounds.send(found)
    except StopIteration:
        return True
    return False

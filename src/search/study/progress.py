"""The lines that a study prints while it runs: done, running, failed, best so far, time left."""

from __future__ import annotations

import time
from collections.abc import Iterable

from src.runtime.durations import duration
from src.search.study.outcome import Outcome
from src.search.study.trial import Result, rank


class Progress:
    """Prints a line for each trial that ends.

    Args:
        expected: trials of the whole study; more or fewer may come.
        results: those of an earlier start.
        slots: trials that run at a time.
    """

    def __init__(self, expected: int, results: Iterable[Result], slots: int) -> None:
        self.expected, self.slots = expected, slots
        self.results = list(results)
        self.resumed = len(self.results)
        self.began = time.monotonic()
        self.rounds = 0

    def begin_round(self, trials: int, missing: int) -> None:
        """Announce a round."""
        self.rounds += 1
        if missing:
            known = f", {trials - missing} have results" if missing < trials else ""
            print(f"round {self.rounds}: {trials} trials{known}", flush=True)

    def ended(self, result: Result, running: int) -> None:
        """Report a result and the state of the study."""
        self.results.append(result)
        self.expected = max(self.expected, len(self.results))
        failed = sum(not found.is_done for found in self.results)
        parts = [f"{len(self.results)} of {self.expected} ended", f"{running} running"]
        parts += [f"{failed} failed"] if failed else []
        best = min(self.results, key=rank)
        parts += [f"best {best.top1:.2f} % (trial {best.number})"] if best.is_done else []
        parts += [f"{duration(self.seconds_left())} left"] if len(self.results) < self.expected else []
        print(f"{outcome_line(result)}   [{', '.join(parts)}]", flush=True)

    def retry(self, number: int, outcome: Outcome) -> None:
        """Report a trial that is started again."""
        print(f"trial {number} {outcome.status}, is started again: {outcome.reason}", flush=True)

    def stopping(self, running: int) -> None:
        """Report that the study stops."""
        print(f"stopping: {running} trials save their state", flush=True)

    def seconds_left(self) -> float:
        """Return the estimate for the rest, from the pace of this start."""
        own = len(self.results) - self.resumed
        return (time.monotonic() - self.began) / max(1, own) * (self.expected - len(self.results))


def outcome_line(result: Result) -> str:
    """Describe one result."""
    network = result.trial.architecture
    what = f"{result.macs / 1e6:.3g} M MACs, {network.resolution} px, {result.trial.notes_text() or network.name}"
    how = f"{result.top1:.2f} %" if result.is_done else f"{result.status} ({result.reason})"
    return f"trial {result.number} {how}: {result.trial.group}, {what}, {result.seconds:.0f} s"

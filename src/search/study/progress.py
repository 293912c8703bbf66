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
    """

    def __init__(self, expected: int, results: Iterable[Result]) -> None:
        self.expected = expected
        self.best: Result | None = None
        self.count = self.failed = 0
        for result in results:
            self._count(result)
        self.resumed = self.count
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
        self._count(result)
        self.expected = max(self.expected, self.count)
        parts = [f"{self.count} of {self.expected} ended", f"{running} running"]
        parts += [f"{self.failed} failed"] if self.failed else []
        parts += [f"best {self.best.top1:.2f} % (trial {self.best.number})"] if self.best else []
        parts += [f"{duration(self.seconds_left())} left"] if self.count < self.expected else []
        print(f"{outcome_line(result)}   [{', '.join(parts)}]", flush=True)

    def retry(self, number: int, outcome: Outcome) -> None:
        """Report a trial that is started again."""
        print(f"trial {number} {outcome.status}, is started again: {outcome.reason}", flush=True)

    def stopping(self, running: int) -> None:
        """Report that the study stops."""
        print(f"stopping: {running} trials save their state", flush=True)

    def seconds_left(self) -> float:
        """Return the estimate for the rest, from the pace of this start."""
        pace = (time.monotonic() - self.began) / max(1, self.count - self.resumed)
        return pace * (self.expected - self.count)

    def _count(self, result: Result) -> None:
        self.count += 1
        self.failed += not result.is_done
        if result.is_done and (self.best is None or rank(result) < rank(self.best)):
            self.best = result


def outcome_line(result: Result) -> str:
    """Describe one result."""
    network = result.trial.architecture
    what = f"{result.macs / 1e6:.3g} M MACs, {network.resolution} px, {result.trial.notes_text() or network.name}"
    how = f"{result.top1:.2f} %" if result.is_done else f"{result.status} ({result.reason})"
    return f"trial {result.number} {how}: {result.trial.group}, {what}, {result.seconds:.0f} s"

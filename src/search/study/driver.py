"""Run the rounds of a method: start what has no result, try again what failed, record what ended."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from types import FrameType

from src.design.cost import total_cost
from src.errors import UserError
from src.search.study.outcome import Outcome, is_mistake, judge
from src.search.study.pool import Pool
from src.search.study.process import Ended, Job
from src.search.study.progress import Progress
from src.search.study.records import Records
from src.search.study.trial import Result, Rounds, Trial

ATTEMPTS = 2  # of a trial that fails; a diverged one would diverge again
POLL_INTERVAL = 0.05  # seconds
SLOWEST = 5  # a trial may take this many times the median of those done ...
SHORTEST_LIMIT = 600  # ... but always these seconds, because the first ones compile for minutes on an NPU
NO_SPACE = "No space left"

JobOf = Callable[[int, Trial], Job]  # number and trial -> the training to start


@dataclass
class Attempt:
    """A trial that waits for its turn, or runs."""

    number: int
    trial: Trial
    tries: int = 0
    began: float = 0.0
    is_timeout: bool = False


class Driver:
    """Runs one study.

    Args:
        records: the results so far.
        pool: where the trials run.
        job_of: makes the training of a trial.
        epochs: of each training.
        limit: seconds that a trial may take; 0: as `SLOWEST` and `SHORTEST_LIMIT` say.
        classes: number of classes of the data, for the cost of the networks.
    """

    def __init__(
        self, records: Records, pool: Pool, job_of: JobOf, epochs: int, limit: float, classes: int, progress: Progress
    ) -> None:
        self.records, self.pool, self.job_of, self.progress = records, pool, job_of, progress
        self.epochs, self.limit, self.classes = epochs, limit, classes
        self.is_interrupted = False
        self.running: dict[int, Attempt] = {}
        self.attempts: dict[int, int] = {}  # tries of trials that failed once

    def run(self, rounds: Rounds) -> list[Result]:
        """Run all rounds and return all results, in the order of their numbers.

        Raises:
            UserError: a trial that is done was another network; or the first training ends with a mistake of the user,
                or any with a full disk.
            KeyboardInterrupt: SIGINT or SIGTERM came; all trainings have saved and stopped.
        """
        results: list[Result] = []
        with self._signals_recorded():
            try:
                trials = next(rounds)
                while True:
                    found = self.run_round(len(results) + 1, trials)
                    results += found
                    trials = rounds.send(found)
            except StopIteration:
                return results
            finally:
                self.pool.close()

    def run_round(self, first: int, trials: list[Trial]) -> list[Result]:
        """Run the trials that have no result yet. The first one has the number `first`."""
        numbers = range(first, first + len(trials))
        waiting = [
            Attempt(number, trial) for number, trial in zip(numbers, trials) if not self._is_recorded(number, trial)
        ][::-1]
        self.progress.begin_round(len(trials), len(waiting))
        while waiting or self.running:
            while waiting and len(self.running) < self.pool.slots:
                self._start(waiting.pop())
            ended = self.pool.ended()
            for end in ended:
                waiting += self._finish(end)
            if self.is_interrupted:
                self._stop()
            if not ended:
                self._end_slow_ones()
                time.sleep(POLL_INTERVAL)
        return [self.records.results[number] for number in numbers]

    def _is_recorded(self, number: int, trial: Trial) -> bool:
        result = self.records.results.get(number)
        if result is None:
            return False
        if result.trial != trial:
            raise UserError(
                f"{self.records.path}: trial {number} is {result.trial.architecture.name} of {result.trial.group!r}, "
                f"but this version proposes {trial.architecture.name} of {trial.group!r}; resume the study with the "
                "version that began it, or give another --study"
            )
        return True

    def _start(self, attempt: Attempt) -> None:
        attempt.tries += 1
        attempt.began = time.monotonic()
        self.running[attempt.number] = attempt
        self.pool.start(self.job_of(attempt.number, attempt.trial))

    def _finish(self, end: Ended) -> list[Attempt]:
        """Record the end of a training, or return it to be tried again."""
        attempt = self.running.pop(end.number)
        run_dir = self.job_of(attempt.number, attempt.trial).run_dir
        outcome = judge(end, run_dir, self.epochs)
        if attempt.is_timeout and outcome.status != "done":
            outcome = Outcome("timeout", reason=f"it had not ended after {end.seconds:.0f} s")
        if self.is_interrupted and outcome.status != "done":
            return []
        mistake = is_mistake(end, run_dir)
        if mistake and (NO_SPACE in mistake or not any(result.is_done for result in self.records.results.values())):
            raise UserError(f"trial {end.number}: {mistake}")
        if outcome.status in ("failed", "out of memory", "timeout") and attempt.tries < ATTEMPTS:
            self.progress.retry(end.number, outcome)
            return [Attempt(attempt.number, attempt.trial, attempt.tries)]
        result = self._result(attempt, end, outcome, run_dir)
        self.records.append(result)
        self.progress.ended(result, len(self.running))
        return []

    def _result(self, attempt: Attempt, end: Ended, outcome: Outcome, run_dir: Path) -> Result:
        cost = total_cost(attempt.trial.architecture, self.classes)
        return Result(
            number=attempt.number,
            trial=attempt.trial,
            status=outcome.status,
            top1=outcome.top1,
            loss=outcome.loss,
            macs=cost.macs,
            parameters=cost.parameters,
            seconds=round(end.seconds, 2),
            attempts=attempt.tries,
            reason=outcome.reason,
            host=end.host,
            device=end.device,
            run_dir=f"{run_dir.parent.name}/{run_dir.name}",
        )

    def _end_slow_ones(self) -> None:
        limit = self.limit or self._usual_limit()
        for attempt in self.running.values():
            if limit and not attempt.is_timeout and time.monotonic() - attempt.began > limit:
                attempt.is_timeout = True
                self.pool.kill(attempt.number)

    def _usual_limit(self) -> float:
        """Return the limit that follows from the trials that are done; 0, no limit, before the first is."""
        done = [result.seconds for result in self.records.results.values() if result.is_done]
        return max(SHORTEST_LIMIT, SLOWEST * median(done)) if done else 0

    def _stop(self) -> None:
        self.progress.stopping(len(self.running))
        self.pool.stop()
        for end in self.pool.ended():
            self._finish(end)
        raise KeyboardInterrupt

    @contextmanager
    def _signals_recorded(self) -> Iterator[None]:
        """Let the first SIGINT or SIGTERM stop the study in order, and a second one at once."""
        before = {number: signal.signal(number, self._record_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _record_signal(self, number: int, _: FrameType | None) -> None:
        if self.is_interrupted:
            raise KeyboardInterrupt
        self.is_interrupted = True

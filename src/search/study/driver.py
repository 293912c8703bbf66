"""Run the rounds of a method: start what has no result, try again what failed, record what ended."""

from __future__ import annotations

import contextlib
import signal
import time
from bisect import insort
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from src.design.cost import total_cost
from src.errors import UserError
from src.search.study.outcome import Outcome, is_disk_full, is_mistake, judge
from src.search.study.pool import Pool
from src.search.study.process import Ended, Job
from src.search.study.progress import Progress
from src.search.study.records import Records
from src.search.study.trial import Result, Rounds, Trial, check_same_trial

ATTEMPTS = 2  # of a trial that fails, and of one whose machine is lost; a diverged one would diverge again
POLL_INTERVAL = 0.05  # seconds
SLOWEST = 5  # a trial may take this many times the median of those done ...
SHORTEST_LIMIT = 600  # ... but always these seconds, because the first ones compile for minutes on an NPU
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # the last one when a terminal is closed

JobOf = Callable[[int, Trial], Job]  # number and trial -> the training to start


@dataclass
class Attempt:
    """A trial that waits for its turn, or runs."""

    number: int
    trial: Trial
    job: Job = field(init=False)
    starts: int = 0
    losses: int = 0  # of the machine that it ran on
    is_timeout: bool = False

    def may_run_again(self, outcome: Outcome) -> bool:
        """Return whether the trial is started again after this outcome."""
        failures = self.starts - self.losses
        return outcome.status in ("failed", "out of memory", "timeout") and max(failures, self.losses) < ATTEMPTS


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
        self.epochs, self.classes = epochs, classes
        self.given_limit = limit
        self.durations = sorted(result.seconds for result in records.results.values() if result.is_done)
        self.limit = self._limit()
        self.is_interrupted = False
        self.running: dict[int, Attempt] = {}

    def run(self, rounds: Rounds) -> list[Result]:
        """Run all rounds and return all results, in the order of their numbers.

        Raises:
            UserError: a trial that is done was another network; or the first training ends with a mistake of the user,
                or any with a full disk.
            OSError: a result or a line of progress cannot be written; all trainings have saved and stopped.
            KeyboardInterrupt: a signal came; all trainings have saved and stopped.
        """
        results: list[Result] = []
        with self._signals_recorded(), contextlib.closing(self.pool):
            try:
                trials = next(rounds)
                while True:
                    found = self.run_round(len(results) + 1, trials)
                    results += found
                    trials = rounds.send(found)
            except StopIteration:
                return results
            except OSError:
                self.pool.stop()
                raise

    def run_round(self, first: int, trials: list[Trial]) -> list[Result]:
        """Run the trials that have no result yet. The first one has the number `first`."""
        numbers = range(first, first + len(trials))
        waiting = [
            Attempt(number, trial) for number, trial in zip(numbers, trials) if not self._is_recorded(number, trial)
        ][::-1]
        self.progress.begin_round(len(trials), len(waiting))
        while waiting or self.running:
            while waiting and len(self.running) < self.pool.slots and not self.is_interrupted:
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
        if result is not None:
            check_same_trial(number, result.trial, trial, self.records.path)
        return result is not None

    def _start(self, attempt: Attempt) -> None:
        attempt.starts += 1
        attempt.is_timeout = False
        attempt.job = self.job_of(attempt.number, attempt.trial)
        self.running[attempt.number] = attempt
        self.pool.start(attempt.job)

    def _finish(self, end: Ended) -> list[Attempt]:
        """Record the end of a training, or return it to be tried again."""
        attempt = self.running.pop(end.number)
        attempt.losses += bool(end.lost)
        outcome = judge(end, attempt.job.run_dir, self.epochs)
        if outcome.status != "done":
            if self.is_interrupted:
                return []
            if attempt.is_timeout:
                outcome = Outcome("timeout", reason=f"it had not ended after {end.seconds:.0f} s")
            if is_disk_full(end) or (is_mistake(end) and not self.durations):
                raise UserError(f"trial {end.number}: {end.said}")
            if attempt.may_run_again(outcome):
                self.progress.retry(end.number, outcome)
                return [attempt]
        self._record(attempt, end, outcome)
        return []

    def _record(self, attempt: Attempt, end: Ended, outcome: Outcome) -> None:
        cost = total_cost(attempt.trial.architecture, self.classes)
        run_dir = attempt.job.run_dir
        result = Result(
            number=attempt.number,
            trial=attempt.trial,
            status=outcome.status,
            top1=outcome.top1,
            loss=outcome.loss,
            macs=cost.macs,
            parameters=cost.parameters,
            seconds=round(end.seconds, 2),
            attempts=attempt.starts,
            reason=outcome.reason,
            host=end.host,
            device=end.device,
            run_dir=f"{run_dir.parent.name}/{run_dir.name}",
        )
        self.records.append(result)
        if result.is_done:
            _remove_states(run_dir)
            insort(self.durations, result.seconds)
            self.limit = self._limit()
        self.progress.ended(result, len(self.running))

    def _limit(self) -> float:
        """Return the seconds after which a trial is ended; 0: no limit, before the first one is done."""
        if not self.durations:
            return self.given_limit
        middle = self.durations[len(self.durations) // 2]  # they are sorted; `median` would sort 10,000 again and again
        return self.given_limit or max(SHORTEST_LIMIT, SLOWEST * middle)

    def _end_slow_ones(self) -> None:
        for attempt in self.running.values():
            if self.limit and not attempt.is_timeout and self.pool.seconds(attempt.number) > self.limit:
                attempt.is_timeout = True
                self.pool.kill(attempt.number)

    def _stop(self) -> None:
        """Stop all trainings in order, also where nobody reads the output any more, and record those that are done."""
        try:
            self.progress.stopping(len(self.running))
        finally:
            self.pool.stop()
            for end in self.pool.ended():
                self._finish(end)
        raise KeyboardInterrupt

    @contextmanager
    def _signals_recorded(self) -> Iterator[None]:
        """Let the first signal stop the study in order, and a second one at once. `nohup` keeps its meaning."""
        before = {number: signal.getsignal(number) for number in SIGNALS}
        taken = [number for number, handler in before.items() if handler != signal.SIG_IGN]
        for number in taken:
            signal.signal(number, self._record_signal)
        try:
            yield
        finally:
            for number in taken:
                signal.signal(number, before[number])

    def _record_signal(self, number: int, _: FrameType | None) -> None:
        if self.is_interrupted:
            raise KeyboardInterrupt
        self.is_interrupted = True


def _remove_states(run_dir: Path) -> None:
    """Remove the states from which a finished training could be resumed; its best checkpoint stays.

    Otherwise a study of 1,000 trials fills a disk.
    """
    for state in (run_dir / "checkpoints").glob("*last.ckpt"):
        state.unlink(missing_ok=True)

"""Small studies: trials of tiny networks, a place that ends them at once, and a driver for both."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from src.search.study.driver import Driver
from src.search.study.process import Ended, Job
from src.search.study.progress import Progress
from src.search.study.records import Records
from src.search.study.trial import Result, Trial
from support.fake_training import write_metrics
from support.small_network import ONE_BLOCK

CLASSES = 10


def trials(count: int, group: str = "all", seed: int = 1) -> list[Trial]:
    """Return trials of networks that differ in their heads."""
    networks = [replace(ONE_BLOCK, name=f"net{index}", head=16 + index) for index in range(count)]
    return [Trial(network, group, seed, {"w": index / 4}) for index, network in enumerate(networks)]


def result(number: int, **changes) -> Result:
    """Return the result of a trial that is done."""
    trial = trials(number)[-1]
    done = Result(number, trial, "done", 50.0 + number, 1.0, 1000, 100, 2.0, run_dir=f"trials/{number:04d}")
    return replace(done, **changes)


class OneRound:
    """A method of a single round, or of several if there are several lists of trials."""

    def __init__(self, *rounds: list[Trial]) -> None:
        self.proposals = rounds
        self.seen: list[list[Result]] = []  # the results of each round

    def rounds(self):
        for trials in self.proposals:
            self.seen.append((yield trials))

    def expected_trials(self) -> int:
        return sum(map(len, self.proposals))


def done(job: Job) -> Ended:
    """Write the metrics of a training."""
    write_metrics(job.run_dir, 1, str(job.number).encode())
    return Ended(job.number, 0, 1.0, host="here")


class InstantPool:
    """A place where trainings end when they are looked at.

    Args:
        ends: by number of a trial, how its starts end: an `Ended`, an exit status, or None for one that hangs.
        on_start: called with each job that starts.
    """

    def __init__(self, slots: int = 2, ends=None, on_start: Callable[[Job], None] = lambda _: None) -> None:
        self.slots, self.on_start = slots, on_start
        self.ends = {number: list(texts) for number, texts in (ends or {}).items()}
        self.running: dict[int, Job] = {}
        self.killed: list[int] = []
        self.started: list[int] = []
        self.calls: list[str] = []

    def start(self, job: Job) -> None:
        self.started.append(job.number)
        self.running[job.number] = job
        assert len(self.running) <= self.slots
        self.on_start(job)

    def seconds(self, number: int) -> float:
        return 1e9

    def ended(self) -> list[Ended]:
        found = [end for job in list(self.running.values()) if (end := self._end_of(job)) is not None]
        for end in found:
            del self.running[end.number]
        return found

    def kill(self, number: int) -> None:
        self.killed.append(number)

    def stop(self) -> None:
        self.calls.append("stop")

    def close(self) -> None:
        self.calls.append("close")

    def _end_of(self, job: Job) -> Ended | None:
        if job.number in self.killed:
            self.killed.remove(job.number)
            self.ends[job.number].pop(0)
            return Ended(job.number, -9, 1.0)
        if not self.ends.get(job.number):
            return done(job)
        if (end := self.ends[job.number][0]) is None:
            return None
        self.ends[job.number].pop(0)
        return end if isinstance(end, Ended) else Ended(job.number, end, 1.0, f"words of {end}") if end else done(job)


def driver(folder: Path, pool: InstantPool, limit: float = 0, expected: int = 4) -> Driver:
    """Return the driver of a study in `folder`."""
    folder.mkdir(exist_ok=True)
    records = Records(folder)

    def job_of(number: int, trial: Trial) -> Job:
        run_dir = folder / "trials" / f"{number:04d}"
        run_dir.mkdir(parents=True, exist_ok=True)
        return Job(number, (), run_dir)

    progress = Progress(expected, records.results.values())
    return Driver(records, pool, job_of, 1, limit, CLASSES, progress)

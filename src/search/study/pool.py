"""Where trials run: the interface of all places, and the place that needs no other package, this machine."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

from src.search.study.process import GRACE, Ended, Job, TrialProcess


class Pool(Protocol):
    """A place where trainings run side by side."""

    @property
    def slots(self) -> int:
        """Trainings that run at a time; it may change when machines come and go."""

    def start(self, job: Job) -> None:
        """Start a training; fewer than `slots` are running."""

    def seconds(self, number: int) -> float:
        """Return for how long the training of a trial has run; 0 while it waits for a machine."""

    def ended(self) -> list[Ended]:
        """Return the trainings that have ended since the last call, without waiting."""

    def kill(self, number: int) -> None:
        """End the training of a trial at once; `ended` reports it."""

    def stop(self) -> None:
        """Ask all trainings to save and stop, and wait for their end; `ended` reports them."""

    def close(self) -> None:
        """End whatever still runs."""


class LocalPool:
    """Child processes of this one.

    Args:
        devices: what a training gets, one entry for each that runs at a time: the number of an NPU, or None on the CPU.
        threads: threads of a training.
    """

    def __init__(self, devices: Sequence[str | None], threads: int) -> None:
        self.slots, self.threads = len(devices), threads
        self.free: list[str | None] = list(devices)
        self.running: dict[int, TrialProcess] = {}

    def start(self, job: Job) -> None:
        self.running[job.number] = TrialProcess(job, self.threads, self.free.pop(0))

    def seconds(self, number: int) -> float:
        return self.running[number].seconds

    def ended(self) -> list[Ended]:
        found = [end for process in self.running.values() if (end := process.poll()) is not None]
        for end in found:
            self.free.append(self.running.pop(end.number).device)
        return found

    def kill(self, number: int) -> None:
        self.running[number].kill()

    def stop(self) -> None:
        for process in self.running.values():
            process.terminate()
        deadline = time.monotonic() + GRACE
        while any(process.poll() is None for process in self.running.values()) and time.monotonic() < deadline:
            time.sleep(0.05)

    def close(self) -> None:
        for process in self.running.values():
            process.kill()
        while any(process.poll() is None for process in self.running.values()):
            time.sleep(0.01)
        self.running.clear()

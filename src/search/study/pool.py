"""Where trials run: the interface of all places, and the place that needs no other package, this machine."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from typing import Protocol

from src.search.study.process import GRACE, Ended, Job, TrialProcess


class Pool(Protocol):
    """A place where trainings run side by side.

    Attributes:
        slots: trainings that run at a time.
    """

    slots: int

    def start(self, job: Job) -> None:
        """Start a training; fewer than `slots` are running."""

    def ended(self) -> list[Ended]:
        """Return the trainings that have ended since the last call, without waiting."""

    def kill(self, number: int) -> None:
        """End the training of a trial at once; `ended` reports it."""

    def stop(self) -> None:
        """Ask all trainings to save and stop, and wait for their end."""

    def close(self) -> None:
        """End whatever still runs."""


class LocalPool:
    """Child processes of this one. Each gets one of `devices`: numbers of NPUs, or None on the CPU."""

    def __init__(self, devices: Sequence[str | None]) -> None:
        self.slots = len(devices)
        self.free: list[str | None] = list(devices)
        self.running: dict[int, TrialProcess] = {}

    def start(self, job: Job) -> None:
        self.running[job.number] = TrialProcess(job, self.free.pop(0))

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
            time.sleep(0.1)

    def close(self) -> None:
        for process in self.running.values():
            with contextlib.suppress(OSError):
                process.kill()
        self.running.clear()

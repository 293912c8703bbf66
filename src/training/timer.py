"""Time the steps of a run: how long they take, and how much of that is waiting for data."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator

from src.runtime.durations import duration
from src.training.state import RunState

logger = logging.getLogger(__name__)


class StepTimer:
    """Adds seconds to the sums of `state`. The first step of a process compiles, so it is left out.

    Attributes:
        compiled: whether a first step is done.
        slowest: seconds of the longest step since the last line of the log.
    """

    def __init__(self, state: RunState) -> None:
        self.state = state
        self.compiled = False
        self.slowest = 0.0

    @contextlib.contextmanager
    def step(self) -> Iterator[None]:
        """Time one step."""
        sums = self.state.sums
        began, waited = time.perf_counter(), sums.waited
        yield
        seconds = time.perf_counter() - began
        if self.compiled:
            sums.seconds += seconds
            sums.timed += 1
            self.slowest = max(self.slowest, seconds)
        else:
            sums.waited, self.compiled = waited, True
            logger.info("compiled, first step done in %s", duration(seconds))

    @contextlib.contextmanager
    def wait(self) -> Iterator[None]:
        """Time the wait for a batch."""
        began = time.perf_counter()
        yield
        self.state.sums.waited += time.perf_counter() - began

    @contextlib.contextmanager
    def sync(self) -> Iterator[None]:
        """Time the wait for the device, which belongs to the timed steps before it."""
        began = time.perf_counter()
        yield
        if self.state.sums.timed:
            self.state.sums.seconds += time.perf_counter() - began

"""Times that can be compared: everything in the same run, in turns, so that what else the machine does hits all."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from src.deploy.verification import onnx_session

CALLS = 3  # in a row after an untimed one, so that each runs with the caches that it leaves itself


def medians(actions: Sequence[Callable[[], object]], rounds: int) -> list[float]:
    """Median seconds of one call of each action, over `rounds` rounds in which they alternate, from either end."""
    times: list[list[float]] = [[] for _ in actions]
    for number in range(rounds):
        turns = list(zip(actions, times))
        for action, seconds in reversed(turns) if number % 2 else turns:
            action()
            start = time.perf_counter()
            for _ in range(CALLS):
                action()
            seconds.append((time.perf_counter() - start) / CALLS)
    return [statistics.median(seconds) for seconds in times]


def onnx_seconds(paths: Sequence[Path], images: np.ndarray, threads: int, rounds: int) -> list[float]:
    """Median seconds in which ONNX Runtime computes `images` by each file."""
    return medians([_call(path, images, threads) for path in paths], rounds)


def _call(path: Path, images: np.ndarray, threads: int) -> Callable[[], object]:
    session = onnx_session(path, threads)
    feed = {session.get_inputs()[0].name: images}
    return lambda: session.run(None, feed)

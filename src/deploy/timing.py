"""Comparable timings: candidates alternate in one run, so that background load affects all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from src.deploy.verification import onnx_session

CALLS = 3  # in a row, after an untimed call that fills the caches


def medians(actions: Sequence[Callable[[], object]], rounds: int) -> list[float]:
    """Return the median seconds of one call of each action, over `rounds` rounds in alternating order."""
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
    """Return the median seconds in which ONNX Runtime computes `images` (a batch) with each file."""
    return medians([_call(path, images, threads) for path in paths], rounds)


def _call(path: Path, images: np.ndarray, threads: int) -> Callable[[], object]:
    session = onnx_session(path, threads)
    feed = {session.get_inputs()[0].name: images}
    return lambda: session.run(None, feed)

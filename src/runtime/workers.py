"""The number of worker threads that a program may use."""

from __future__ import annotations

import logging
import os

logger = logging.getLogger(__name__)

MAX_DEFAULT_WORKERS = 8


def usable_cores() -> int:
    """Return the number of cores that this process may use, within the limits of containers and `taskset`."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def worker_count(requested: int, processes: int = 1) -> int:
    """Return the `requested` number of workers, or the number of cores if that is smaller: MindData refuses more.

    Args:
        requested: 0 means one worker for each core, at most 8.
        processes: processes on this machine, which share its cores if `requested` is 0.
    """
    cores = usable_cores()
    if requested > cores:
        logger.warning("workers is %d, this machine has %d cores: using %d", requested, cores, cores)
    return min(requested, cores) or max(1, min(cores // processes, MAX_DEFAULT_WORKERS))

"""How many threads a program may use."""

from __future__ import annotations

import logging
import os

logger = logging.getLogger(__name__)

MOST_BY_DEFAULT = 8


def usable_cores() -> int:
    """Cores that this process may use (containers and `taskset` included)."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def usable_workers(wanted: int, processes: int = 1) -> int:
    """`wanted` threads, cut down to the cores there are: MindData refuses more.

    0: one a core, at most 8; of several `processes` on this machine, each takes its share.
    """
    cores = usable_cores()
    if wanted > cores:
        logger.warning("workers is %d, this machine has %d cores: using %d", wanted, cores, cores)
    return min(wanted, cores) or max(1, min(cores // processes, MOST_BY_DEFAULT))

"""The process group: which rank this process has, and how many ranks train together.

`msrun` starts the processes and describes the group in their environment. A process that runs alone is rank 0 of 1.
"""

from __future__ import annotations

import os

from mindspore import communication

_rank, _ranks = 0, 1


def launched() -> bool:
    """Return whether `msrun` started this process."""
    return "MS_ROLE" in os.environ


def local_rank() -> int:
    """Return the rank of this process on its machine, which is also the number of its device."""
    return int(os.environ.get("DEVICE_ID", 0))


def ranks_on_machine() -> int:
    """Return how many ranks share this machine: `src/launch/plan.py` sets it; by default all ranks do."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", ranks()))


def join() -> None:
    """Join the process group. In msrun's scheduler process this call returns only when the job ends.

    Raises:
        RuntimeError: another rank did not join in time, or has ended.
    """
    global _rank, _ranks
    if launched() and (_rank, _ranks) == (0, 1):
        communication.init()
        _rank, _ranks = communication.get_rank(), communication.get_group_size()


def rank() -> int:
    """Return the rank of this process."""
    return _rank


def ranks() -> int:
    """Return how many ranks train together."""
    return _ranks


def is_first() -> bool:
    """Return whether this process is rank 0, which writes files, logs and decides for all."""
    return rank() == 0

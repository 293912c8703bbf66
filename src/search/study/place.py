"""Where the trials of a study run: on this machine or on a cluster, how many at a time, with how many threads."""

from __future__ import annotations

from pathlib import Path

import psutil

from src.config.study import StudyOptions
from src.errors import UserError
from src.launch.plan import visible_npus
from src.runtime.workers import usable_cores
from src.search.study.pool import LocalPool, Pool
from src.search.study.ray_pool import RayPool

MEMORY_OF_TRIAL = 2 * 2**30  # bytes; a training of TinyNet-E on the CPU takes 0.8 to 1.4 GB


def open_pool(config: StudyOptions, study_file: Path) -> Pool:
    """Return the place that the settings of a study name.

    Args:
        study_file: a file of the study, which every machine must see.

    Raises:
        UserError: this machine has fewer NPUs, or the cluster cannot be used.
    """
    wants_npus = config.device_target in ("auto", "Ascend")
    if config.ray_address:
        return RayPool(config.ray_address, study_file, config.parallel, config.threads, wants_npus)
    npus = visible_npus() if wants_npus else []
    slots = config.parallel or len(npus) or _trials_of_cores(config)
    if npus and slots > len(npus):
        raise UserError(f"parallel is {slots}, but this machine has {len(npus)} NPUs; choose 1 to {len(npus)}")
    return LocalPool(npus[:slots] or [None] * slots, config.threads or max(1, usable_cores() // slots))


def _trials_of_cores(config: StudyOptions) -> int:
    """Return how many trials this machine trains at a time without NPUs."""
    if config.device_target == "GPU":
        return 1  # all see the same one
    memory = int(psutil.virtual_memory().available // MEMORY_OF_TRIAL)
    return max(1, min(usable_cores() // (config.threads or 1), memory))

"""Whether the CPU kernels are used by this process, and the library that holds them."""

from __future__ import annotations

import ctypes
import logging
import os
from pathlib import Path
from typing import Literal

from src.errors import UserError
from src.kernels.build import BuildError, built_library
from src.runtime import device, distributed
from src.runtime.workers import usable_cores

logger = logging.getLogger(__name__)

Choice = Literal["auto", "on", "off"]

_library: Path | None = None


def choose_kernels(wanted: Choice, *, half_precision: bool = False) -> None:
    """Decide whether this process computes with the CPU kernels from now on, and build them if they are missing.

    One line of the log says what was decided, and why. Call it after `device.setup`.

    Raises:
        UserError: `wanted` is `on`, and they cannot be used.
    """
    global _library
    _library = None
    reason = None if wanted == "off" else device.no_kernels_because(half_precision=half_precision)
    if wanted != "off" and reason is None:
        try:
            _library = _loaded(built_library())
        except BuildError as error:
            reason = str(error)
    if reason and wanted == "on":
        raise UserError(f"cpu_kernels is on, but {reason}; change that, or take --cpu_kernels auto")
    if _library:
        logger.info("CPU kernels: in use, with %d threads", thread_count())
    elif device.is_cpu():
        logger.info("CPU kernels: not in use, %s", reason or "as cpu_kernels is off")


def library() -> Path | None:
    """Return the library of the kernels, or None if MindSpore's own operators compute."""
    return _library


def thread_count() -> int:
    """Return the threads of a kernel: as OMP_NUM_THREADS says, which MindSpore's own operators follow too.

    Without it, they are the cores of this process, shared with the other ranks on this machine.
    """
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    if wanted.isdecimal() and int(wanted) > 0:
        return min(int(wanted), usable_cores())
    return max(1, usable_cores() // distributed.ranks_on_machine())


def set_thread_count(count: int, path: Path | None = None) -> None:
    """Let kernels compute with `count` threads. The numbers that they compute do not depend on it."""
    ctypes.CDLL(str(path or _library)).SetThreadCount(count)


def _loaded(path: Path) -> Path:
    """Load the library, so that a fault shows here and not in MindSpore, and set its threads.

    Raises:
        BuildError: the system does not load it.
    """
    try:
        set_thread_count(thread_count(), path)
    except (OSError, AttributeError) as error:
        raise BuildError(f"{path} cannot be loaded ({error})") from None
    return path

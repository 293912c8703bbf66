"""The device of a program, graph mode, CPU instruction set. Only this module uses MindSpore's context."""

from __future__ import annotations

import contextlib
import logging
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import mindspore as ms

from src.errors import UserError
from src.runtime import distributed
from src.runtime.workers import usable_cores

logger = logging.getLogger(__name__)

ISA_VARIABLES = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")


@dataclass(frozen=True)
class Device:
    """A device: `target` is Ascend, GPU or CPU; `id` is its number on this machine."""

    target: str
    id: int

    def __str__(self) -> str:
        return f"CPU ({usable_cores()} cores)" if self.target == "CPU" else f"{self.target} {self.id}"


def is_cpu() -> bool:
    """Return whether MindSpore computes on the CPU."""
    return ms.get_context("device_target") == "CPU"


def setup(target: str = "auto", device_id: int = 0, seed: int | None = None) -> Device:
    """Choose the device and graph mode, seed MindSpore, and join the other ranks of `msrun`.

    A rank of `msrun` uses the device with the number of its local rank.

    Raises:
        UserError: the device cannot be used.
    """
    if distributed.launched():
        device_id = 0 if target == "CPU" else distributed.local_rank()
    if target == "CPU" and device_id:
        raise UserError(f"device_id is {device_id}, but there is one CPU; leave it out or name a --device_target")
    candidates = ("Ascend", "GPU", "CPU") if target == "auto" else (target,)
    for candidate in candidates:
        try:
            # There is one CPU. Another number than 0 means an accelerator, so with `auto` the CPU ignores it.
            with quiet_mindspore():
                ms.set_device(candidate, 0 if candidate == "CPU" else device_id)
            break
        except (RuntimeError, ValueError) as error:
            reason = str(error).strip().splitlines()[0]
    else:
        raise UserError(f"device_target is {target}, device_id {device_id}: {reason}; use --device_target CPU or auto")
    ms.set_context(mode=ms.GRAPH_MODE)
    if candidate == "CPU":
        prefer_fast_convolutions()
    if seed is not None:
        ms.set_seed(seed)
    if candidate != "Ascend" and target == "auto" and Path("/dev/davinci_manager").exists():
        logger.warning("an Ascend driver is installed, but MindSpore cannot use it: is CANN's set_env.sh sourced?")
    distributed.join()
    return Device(candidate, device_id)


def no_kernels_because(*, half_precision: bool) -> str | None:
    """Return why the project's CPU kernels cannot compute here, as a part of a line; None if they can."""
    if not is_cpu():
        return f"the device is {ms.get_context('device_target')}"
    if platform.system() != "Linux":
        return f"the system is {platform.system()}, and MindSpore loads operators on Linux only"
    if half_precision:
        return "half precision is on, and they compute in float32 (amp_level O0)"
    return None


@contextlib.contextmanager
def quiet_mindspore() -> Iterator[None]:
    """Suppress MindSpore's log of an error that it also raises, so that the user gets one line and not two."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def prefer_fast_convolutions() -> None:
    """On an AVX-512 CPU, make oneDNN use its AVX2 convolutions.

    On AVX-512, the oneDNN of current MindSpore wheels runs every spatial convolution on its plain reference kernel.
    Limited to AVX2, it uses a compiled kernel that is 10 to 30 times faster. oneDNN reads the variable at the first
    convolution. A limit that the user has set remains.
    """
    if _has_avx512() and not any(name in os.environ for name in ISA_VARIABLES):
        os.environ[ISA_VARIABLES[0]] = "AVX2"
        logger.info("AVX-512 CPU: %s=AVX2 makes oneDNN use its fast convolutions", ISA_VARIABLES[0])


def _has_avx512(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    return cpuinfo.exists() and " avx512f" in cpuinfo.read_text(encoding="utf-8", errors="replace")

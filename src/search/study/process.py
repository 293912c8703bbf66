"""One training of a trial as a child process, wherever it runs: on this machine, or in a task of a cluster."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

CHILD = Path(__file__).with_name("child.py")
OUTPUT = "output.log"  # in the folder of the training: what the process printed
GRACE = 60  # seconds that a training may take to save after it was asked to stop


@dataclass(frozen=True)
class Job:
    """A training to start.

    Attributes:
        number: of the trial.
        command: a Python script and its arguments.
        run_dir: folder of the training; it exists.
        threads: threads that compute.
    """

    number: int
    command: tuple[str, ...]
    run_dir: Path
    threads: int = 1


@dataclass(frozen=True)
class Ended:
    """A training that ended.

    Attributes:
        code: exit status, or minus the number of the signal that killed it.
        seconds: from its start to its end.
        fault: why it could not run at all, such as a lost machine; empty if it ran.
    """

    number: int
    code: int
    seconds: float
    host: str = ""
    device: str = "cpu"
    fault: str = ""


class TrialProcess:
    """A running training. `device` is the number of an NPU, or None on the CPU."""

    def __init__(self, job: Job, device: str | None = None) -> None:
        self.job, self.device = job, device
        self.started = time.monotonic()
        with open(job.run_dir / OUTPUT, "ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, str(CHILD), str(os.getpid()), sys.executable, *job.command],
                env=environment(job, device),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def poll(self) -> Ended | None:
        """Return how the training ended; None while it runs."""
        code = self.process.poll()
        return None if code is None else self._ended(code)

    def wait(self) -> Ended:
        """Wait for the end of the training."""
        return self._ended(self.process.wait())

    def terminate(self) -> None:
        """Ask the training to save and stop."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the training and what it has started."""
        family = [psutil.Process(self.process.pid)] if self.process.poll() is None else []
        with contextlib.suppress(psutil.Error):
            family += family[0].children(recursive=True) if family else []
        for process in family:
            with contextlib.suppress(psutil.Error):
                process.kill()
        self.process.wait()

    def _ended(self, code: int) -> Ended:
        seconds = time.monotonic() - self.started
        device = "cpu" if self.device is None else f"npu {self.device}"
        return Ended(self.job.number, code, seconds, socket.gethostname(), device)


def environment(job: Job, device: str | None) -> dict[str, str]:
    """Return the environment of a training: its threads, and the one device that it sees, as number 0."""
    own = {"OMP_NUM_THREADS": str(job.threads), "PYTHONUNBUFFERED": "1"}
    return {**os.environ, **own, **({} if device is None else {"ASCEND_RT_VISIBLE_DEVICES": device})}

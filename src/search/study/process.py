"""One training of a trial as a child process, wherever it runs: on this machine, or on a node of a cluster."""

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

from src.runtime.texts import printable, shortened

CHILD = Path(__file__).with_name("child.py")
OUTPUT = "output.log"  # in the folder of the training: what its processes printed
LOCK = ".lock"  # in the same folder: held by train.py
GRACE = 60  # seconds that a training may take to save after it was asked to stop
KILL_TIMEOUT = 10  # seconds; a process that waits for a hung device does not even end by SIGKILL
LONGEST_LINE = 300  # characters


@dataclass(frozen=True)
class Job:
    """A training to start.

    Attributes:
        number: of the trial.
        command: a Python script and its arguments.
        run_dir: folder of the training, an absolute path; it exists.
    """

    number: int
    command: tuple[str, ...]
    run_dir: Path


@dataclass(frozen=True)
class Ended:
    """A training that ended.

    Attributes:
        code: exit status, or minus the number of the signal that killed it.
        seconds: from its start to its end.
        said: its line of error, or else its last line.
        lost: why the place where it ran is lost, such as a machine that was switched off; empty if it is not.
    """

    number: int
    code: int
    seconds: float
    said: str = ""
    host: str = ""
    device: str = "cpu"
    lost: str = ""


class TrialProcess:
    """A running training.

    Args:
        job: what to start.
        threads: threads that compute.
        device: number of an NPU; None on the CPU.
    """

    def __init__(self, job: Job, threads: int, device: str | None = None) -> None:
        self.job, self.device = job, device
        self.started = time.monotonic()
        self.killed = 0.0
        self.output = job.run_dir / OUTPUT
        starter = [sys.executable, "-S", str(CHILD), str(os.getpid()), str(job.run_dir / LOCK)]
        with open(self.output, "ab") as output:
            self.before = output.tell()  # bytes that earlier attempts printed
            self.process = subprocess.Popen(
                [*starter, sys.executable, *job.command],
                env=environment(threads, device),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def seconds(self) -> float:
        """The time since its start."""
        return time.monotonic() - self.started

    def poll(self) -> Ended | None:
        """Return how the training ended; None while it runs."""
        code = self.process.poll()
        if code is None and self.killed and time.monotonic() > self.killed + KILL_TIMEOUT:
            return self._ended(-signal.SIGKILL, f"process {self.process.pid} does not end, although it was killed")
        return None if code is None else self._ended(code, last_line(self.output, self.before))

    def terminate(self) -> None:
        """Ask the training to save and stop."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the training and what it has started; `poll` then reports it."""
        self.killed = time.monotonic()
        with contextlib.suppress(psutil.Error):
            training = psutil.Process(self.process.pid)
            for process in (*training.children(recursive=True), training):
                with contextlib.suppress(psutil.Error):
                    process.kill()

    def _ended(self, code: int, said: str) -> Ended:
        device = "cpu" if self.device is None else f"npu {self.device}"
        return Ended(self.job.number, code, self.seconds, said, socket.gethostname(), device)


def environment(threads: int, device: str | None) -> dict[str, str]:
    """Return the environment of a training: its threads, and the one device that it sees, as number 0."""
    own = {"OMP_NUM_THREADS": str(threads), "PYTHONUNBUFFERED": "1"}
    return {**os.environ, **own, **({} if device is None else {"ASCEND_RT_VISIBLE_DEVICES": device})}


def last_line(path: Path, start: int = 0) -> str:
    """Return the last error line of an output from byte `start` on, else its last line; empty if there is none."""
    try:
        with open(path, "rb") as file:
            file.seek(start)
            lines = [line.strip() for line in file.read().decode("utf-8", "replace").splitlines()]
    except OSError:
        return ""
    errors = [line for line in lines if line.startswith("error: ")]
    said = [line for line in lines if line]
    return shortened(printable((errors or said or [""])[-1]), LONGEST_LINE).removeprefix("error: ")

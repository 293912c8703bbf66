"""Find, stop and describe the processes of a job."""

from __future__ import annotations

import contextlib
import subprocess
import time
import uuid

import psutil

KILL_TIMEOUT = 5  # seconds until killed processes have vanished, and again until msrun has collected them
JOB_TOKEN = "TINYNET_JOB"


class ProcessFamily:
    """A process and all its descendants, found by a token in the environment that they inherit.

    Parent process numbers are not enough: when msrun dies, its children get another parent.
    """

    def __init__(self) -> None:
        self.token = uuid.uuid4().hex
        self.environment = {JOB_TOKEN: self.token}  # of the process to start

    def stop(self, process: subprocess.Popen) -> None:
        """Kill all descendants of `process`, then `process` itself if it does not end by that."""
        found = self._kill_descendants(process.pid)
        try:
            process.wait(KILL_TIMEOUT if found else 0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._kill_descendants(process.pid)  # those that it has started in the meantime

    def _kill_descendants(self, parent: int) -> bool:
        """Kill until none is left, for at most KILL_TIMEOUT seconds. Return whether there were any."""
        found, deadline = False, time.monotonic() + KILL_TIMEOUT
        while (left := self._descendants(parent)) and time.monotonic() < deadline:
            found = True
            for process in left:
                with contextlib.suppress(psutil.Error):
                    process.kill()
            time.sleep(0.02)
        return found

    def _descendants(self, parent: int) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):  # it has just ended, or belongs to another user
                if process.environ().get(JOB_TOKEN) == self.token and process.pid != parent:
                    found.append(process)
        return found


def is_alive(process: psutil.Process | None) -> bool:
    """Return whether a process runs; a zombie does not."""
    try:
        return process is not None and process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def how_it_ended(code: int) -> str:
    """Return an exit code in words; negative codes are signals, as in `subprocess`."""
    return f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"

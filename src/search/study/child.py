"""Run a command that ends with the process that started it: python child.py PARENT LOCK COMMAND [ARGUMENT ...].

A killed study must leave no training behind, which would write into the folder that the resumed study trains in. This
file imports nothing of the project, because it only gives its process to the command.
"""

import ctypes
import fcntl
import os
import signal
import sys
import time

PR_SET_PDEATHSIG = 1  # linux/prctl.h; the signal comes when the thread that forked this process ends
LONGEST_WAIT = 60  # seconds; a killed training needs some to give its memory back, and holds its lock until then


def main() -> None:
    """Replace this process by the command, once the file LOCK is free."""
    parent, lock, *command = sys.argv[1:]
    os.setpgid(0, 0)  # Ctrl-C of a terminal reaches the study alone, which then asks its trainings to stop
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    wait_until_free(lock)
    if os.getppid() == int(parent):  # else it has ended before the call of prctl
        os.execv(command[0], command)


def wait_until_free(lock: str) -> None:
    """Wait until no other process holds the lock file, or for `LONGEST_WAIT` seconds: the command then says so."""
    if not os.path.exists(lock):
        return
    with open(lock, "rb") as file:
        for _ in range(LONGEST_WAIT * 10):
            try:
                return fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.1)


if __name__ == "__main__":
    main()

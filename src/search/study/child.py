"""Run a command that ends with the process that started it: python child.py PARENT COMMAND [ARGUMENT ...].

A killed study must leave no training behind, which would write into the folder that the resumed study trains in. This
file imports nothing of the project, because it only gives its process to the command.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h; the signal comes when the thread that forked this process ends


def main() -> None:
    """Replace this process by the command."""
    parent, *command = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == int(parent):  # else it has ended before the call
        os.execv(command[0], command)


if __name__ == "__main__":
    main()

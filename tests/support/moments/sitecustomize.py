"""Act on a process at an exact moment of its run, so that no test depends on the clock.

Python imports this file at the start of every process whose PYTHONPATH names its folder. Two variables say what to do:

MOMENT  log TEXT         when the project's log gets a line that contains TEXT
        rename NAME N    just before a file takes the name NAME for the N-th time
ACTION  SIGTERM, ...     this process sends itself the signal
        wait             this process stands still until it receives a signal
"""

import logging
import os
import signal
import sys


def act():
    if os.environ["ACTION"] == "wait":
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer)
        os.read(reader, 1)
    else:
        os.kill(os.getpid(), signal.Signals[os.environ["ACTION"]])


class LogWatcher(logging.Handler):
    """Acts on the first line that contains a text."""

    def __init__(self, text):
        super().__init__()
        self.text = text

    def emit(self, record):
        if self.text in record.getMessage():
            logging.getLogger().removeHandler(self)
            act()


class RenameWatcher:
    """Acts before a file is renamed to NAME for the N-th time."""

    def __init__(self, name, count):
        self.name, self.left = name, count

    def __call__(self, event, arguments):
        if event == "os.rename" and os.path.basename(os.fspath(arguments[1])) == self.name:
            self.left -= 1
            if self.left == 0:
                act()


if "MOMENT" in os.environ:
    kind, _, rest = os.environ["MOMENT"].partition(" ")
    if kind == "log":
        logging.getLogger().addHandler(LogWatcher(rest))  # the project's lines reach the root logger too
    else:
        name, count = rest.split()
        sys.addaudithook(RenameWatcher(name, int(count)))

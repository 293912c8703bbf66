"""Read the logs of worker processes as they grow."""

from __future__ import annotations

import re
from collections import deque
from pathlib import Path

LAST_LINES = 15


CHATTER = re.compile(r"\[(DEBUG|INFO|WARNING)\] [A-Z_]+\(\d+")  # how MindSpore's own log lines begin


class Log:
    """A file that another process writes, read line by line as it grows."""

    def __init__(self, path: Path) -> None:
        self.path, self.read = path, 0

    def new_lines(self) -> list[str]:
        """The whole lines since the last call; none as long as there is no file."""
        try:
            with open(self.path, "rb") as file:
                file.seek(self.read)
                new = file.read()
        except FileNotFoundError:
            return []
        whole = new[: new.rfind(b"\n") + 1]
        self.read += len(whole)
        return whole.decode("utf-8", "replace").splitlines()

    def tail(self, count: int = LAST_LINES) -> list[str]:
        """The last lines without MindSpore's chatter."""
        try:
            with open(self.path, encoding="utf-8", errors="replace") as file:
                return [*deque((line.rstrip("\n") for line in file if not CHATTER.match(line)), count)]
        except FileNotFoundError:
            return []

"""Read the logs of worker processes as they grow."""

from __future__ import annotations

import re
from collections import deque
from pathlib import Path

LAST_LINES = 15
CHATTER = re.compile(r"\[(DEBUG|INFO|WARNING)\] [A-Z_]+\(\d+")  # how MindSpore's own log lines begin


class Log:
    """A file that another process writes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bytes_read = 0

    def new_lines(self) -> list[str]:
        """Return the complete lines since the last call; an empty list if the file does not exist yet."""
        try:
            with open(self.path, "rb") as file:
                file.seek(self.bytes_read)
                new = file.read()
        except FileNotFoundError:
            return []
        complete = new[: new.rfind(b"\n") + 1]
        self.bytes_read += len(complete)
        return complete.decode("utf-8", "replace").splitlines()

    def tail(self, count: int = LAST_LINES) -> list[str]:
        """Return the last `count` lines without those of MindSpore's own log."""
        try:
            with open(self.path, encoding="utf-8", errors="replace") as file:
                return [*deque((line.rstrip("\n") for line in file if not CHATTER.match(line)), count)]
        except FileNotFoundError:
            return []

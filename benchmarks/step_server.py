"""Take steps on request, so that two programs can be timed in turns: a line `NAME COUNT` in, their seconds out."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable


def serve(steps: dict[str, Callable[[], object]]) -> None:
    """Take one step of each kind, print the seconds as JSON, then answer lines of standard input until it ends.

    A step returns when its result is there.
    """
    print(json.dumps({name: _seconds(step, 1)[0] for name, step in steps.items()}), flush=True)
    for line in sys.stdin:
        name, count = line.split()
        print(json.dumps(_seconds(steps[name], int(count))), flush=True)


def _seconds(step: Callable[[], object], count: int) -> list[float]:
    seconds = []
    for _ in range(count):
        began = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - began)
    return seconds

"""Take steps on request, so that two programs can be timed in turns: a line `NAME COUNT` in, their seconds out."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable


def serve(steps: dict[str, Callable[[], object]], clock: Callable[[], float] = time.perf_counter) -> None:
    """Take one step of each kind, print the seconds as JSON, then answer lines of standard input until it ends.

    A step returns when its result is there. `clock` returns seconds, such as those of the processor.
    """
    print(json.dumps({name: seconds_of(step, 1, clock)[0] for name, step in steps.items()}), flush=True)
    for line in sys.stdin:
        name, count = line.split()
        print(json.dumps(seconds_of(steps[name], int(count), clock)), flush=True)


def seconds_of(step: Callable[[], object], count: int, clock: Callable[[], float]) -> list[float]:
    """Return the seconds of each of `count` steps."""
    seconds = []
    for _ in range(count):
        began = clock()
        step()
        seconds.append(clock() - began)
    return seconds

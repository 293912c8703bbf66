"""Time steps of this project and of timm in turns, each in a process of its own with the same threads.

Background load slows both alike, so each round gives a ratio, and the median over the rounds is printed.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
FORMATS = ("contiguous", "channels_last")  # of PyTorch's tensors


class Speed(NamedTuple):
    """Images/s of both, and the median of their ratios. `timm` is the better of PyTorch's two memory formats."""

    model: str
    size: int
    ours: float  # at the median step
    ours_best: float  # at the fastest step
    timm: float
    timm_best: float
    ratio: float
    compiled: float  # seconds until our first step was done, which includes graph compilation

    def __str__(self) -> str:
        return (
            f"{self.model}, {self.size} px: {self.ours:.1f} images/s (best {self.ours_best:.1f}), timm "
            f"{self.timm:.1f} (best {self.timm_best:.1f}), ratio {self.ratio:.2f}, compiled in {self.compiled:.0f} s"
        )


class Server:
    """A process that takes steps on request, see `step_server.py`."""

    def __init__(self, command: list[str], environment: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | (environment or {}),
        )
        self.first: dict[str, float] = self._answer()  # seconds of the first step of each kind

    def steps(self, name: str, count: int) -> list[float]:
        """Return the seconds of `count` steps."""
        assert self.process.stdin is not None  # because of PIPE
        self.process.stdin.write(f"{name} {count}\n")
        self.process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()

    def _answer(self) -> Any:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(("{", "[")):  # other lines are MindSpore's
                return json.loads(line)
        sys.exit(f"error: `{' '.join(map(str, self.process.args))}` ended early; start it alone to see why")  # type: ignore[arg-type]


def compare(
    model: str,
    size: int,
    batch_size: int,
    task: str,
    rounds: int,
    threads: int,
    timm_python: str,
    our_flags: list[str],
    steps: int = 2,
) -> Speed:
    """Return the speed of both; a round is `steps` steps of ours and then of timm in each memory format."""
    common = ["--model", model, "--batch_size", str(batch_size), "--task", task]
    ours = Server([sys.executable, str(HERE / "train_step.py"), "--serve", *common, *our_flags])
    timm = Server([timm_python, str(HERE / "timm_step.py"), *common, "--size", str(size), "--threads", str(threads)])
    taken: dict[str, list[float]] = {name: [] for name in ("ours", *FORMATS)}
    for _ in range(rounds):
        taken["ours"].append(statistics.mean(ours.steps("ours", steps)))
        for name in FORMATS:
            taken[name].append(statistics.mean(timm.steps(name, steps)))
    ours.close()
    timm.close()
    better = min(FORMATS, key=lambda name: statistics.median(taken[name]))
    ratios = [other / own for own, other in zip(taken["ours"], taken[better])]
    return Speed(
        model,
        size,
        ours=batch_size / statistics.median(taken["ours"]),
        ours_best=batch_size / min(taken["ours"]),
        timm=batch_size / statistics.median(taken[better]),
        timm_best=batch_size / min(taken[better]),
        ratio=statistics.median(ratios),
        compiled=ours.first["ours"],
    )

"""How long a network takes on this machine, and the largest of a family that keeps a time.

What is timed is the ONNX file that export would write, BatchNorm folded, one image, in ONNX Runtime on the CPU. Weights
are random: they do not change the time.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from math import log
from pathlib import Path
from typing import NamedTuple

import numpy as np
from mindspore import Tensor
from tqdm import tqdm

from src.deploy.deployed_network import DeployedGraph
from src.deploy.folding import folded
from src.deploy.onnx_file import write_onnx
from src.deploy.timing import onnx_seconds
from src.design.architecture import Architecture
from src.design.cost import total_cost
from src.errors import UserError
from src.images.preprocess import Preprocess
from src.models import create_model
from src.runtime import device

ROUNDS = 20  # of a measurement, four calls each
CLOSE = 0.02  # share by which a budget that is too slow may be larger than the answer's
MEASUREMENTS = 16  # at most


class Timed(NamedTuple):
    """A network and the median seconds that it takes for one image."""

    network: Architecture
    seconds: float

    @property
    def macs(self) -> int:
        """Multiply-adds of one image."""
        return total_cost(self.network).macs


def timed(network: Architecture, threads: int = 1) -> Timed:
    """Export the network with random weights and time it with so many threads.

    Raises:
        UserError: the onnx packages are not installed.
    """
    device.setup("CPU", seed=1)
    shape = (1, 3, network.resolution, network.resolution)
    graph = DeployedGraph(folded(create_model(network).set_train(False)), Preprocess(network.resolution))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        write_onnx(graph, Tensor(np.zeros(shape, np.float32)), path, 1)
        image = np.random.RandomState(0).randn(*shape).astype(np.float32)
        (seconds,) = onnx_seconds([path], image, threads, ROUNDS)
    return Timed(network, seconds)


def largest_within(
    family: Callable[[float], Architecture],
    start: float,
    most: float,
    seconds: float,
    measure: Callable[[Architecture], Timed] = timed,
) -> list[Timed]:
    """Look for the network with the most multiply-adds that keeps `seconds`.

    Times are taken to rise as a power of the MACs; the next network is measured where that line meets the limit.

    Args:
        family: the network for a budget of multiply-adds; raises UserError for one that is out of its reach.
        start: the budget of the first network.
        most: the greatest budget.
        seconds: the limit.
        measure: how a network is timed.

    Returns:
        All that were measured, fewest MACs first. The answer is the last that keeps the limit.

    Raises:
        UserError: none of them keeps it.
    """
    found: dict[int, Timed] = {}  # by multiply-adds, which rise in jumps: several budgets may give one network
    slow = fast = None  # the nearest budgets on either side of the limit, with the seconds of their networks
    budget = start
    for _ in tqdm(range(MEASUREMENTS), desc="measuring", leave=False, disable=None):
        try:
            network = family(budget)
        except UserError:
            if slow is None:
                if fast is None:
                    raise
                break
            budget = (budget * slow[0]) ** 0.5  # nearer to what can be built
            if slow[0] <= budget * (1 + CLOSE):
                break
            continue
        macs = total_cost(network).macs
        one = found[macs] = found.get(macs) or measure(network)
        if one.seconds <= seconds:
            fast = budget, one.seconds
        else:
            slow = budget, one.seconds
        if (fast and budget == most) or (fast and slow and slow[0] <= fast[0] * (1 + CLOSE)):
            break
        budget = min(most, _next_budget(slow, fast, seconds))
    if fast is None:
        raise UserError(
            f"latency is {seconds * 1e3:g}ms; the fastest network of this family that was measured takes "
            f"{min(one.seconds for one in found.values()) * 1e3:.2f} ms here; allow more, or take a smaller --base"
        )
    return [found[macs] for macs in sorted(found)]


def _next_budget(slow: tuple[float, float] | None, fast: tuple[float, float] | None, seconds: float) -> float:
    """Where the time should be the limit; between two budgets, well inside."""
    if fast is None:
        return slow[0] * max(0.2, min(0.9, seconds / slow[1]))
    if slow is None:
        return fast[0] * min(5, max(1.1, seconds / fast[1]))
    share = log(seconds / fast[1]) / log(slow[1] / fast[1])
    return fast[0] * (slow[0] / fast[0]) ** min(0.85, max(0.15, share))

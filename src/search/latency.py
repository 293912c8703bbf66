"""The latency of networks on this machine, and the largest network of a family that meets a limit.

The measured program is the ONNX file that export would write: BatchNorm folded, one image, ONNX Runtime on the CPU.
Weights are random, because they do not change the time.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from math import log, sqrt
from pathlib import Path
from typing import NamedTuple

import numpy as np
from mindspore import Tensor
from tqdm import tqdm

from src.deploy.deployed_network import DeployedNetwork
from src.deploy.folding import folded
from src.deploy.onnx_file import write_onnx
from src.deploy.timing import onnx_seconds
from src.design.architecture import Architecture
from src.design.cost import total_cost
from src.errors import UserError
from src.images.preprocess import Preprocess
from src.models import create_model
from src.runtime import device

ROUNDS = 20  # of a measurement; its result is the median over the rounds
MAX_MEASUREMENTS = 16  # of a search
BUDGET_TOLERANCE = 0.02  # stop when the smallest budget that is too slow is within 2 % of the largest that is not


class Latency(NamedTuple):
    """A network and the median seconds for one image."""

    network: Architecture
    seconds: float
    num_classes: int = 1000

    @property
    def macs(self) -> int:
        """The multiply-adds of one image."""
        return total_cost(self.network, self.num_classes).macs


class Trial(NamedTuple):
    """A budget in multiply-adds, and the seconds that its network takes for one image."""

    budget: float
    seconds: float


def measure_latency(network: Architecture, threads: int = 1, num_classes: int = 1000) -> Latency:
    """Export a network with random weights and measure its latency with `threads` threads.

    Raises:
        UserError: the onnx packages are not installed.
    """
    device.setup("CPU", seed=1)
    shape = (1, 3, network.resolution, network.resolution)
    graph = DeployedNetwork(
        folded(create_model(network, num_classes=num_classes).set_train(False)), Preprocess(network.resolution)
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        write_onnx(graph, Tensor(np.zeros(shape, np.float32)), path, 1, ["logits"])
        image = np.random.RandomState(0).randn(*shape).astype(np.float32)
        (seconds,) = onnx_seconds([path], image, threads, ROUNDS)
    return Latency(network, seconds, num_classes)


def largest_within(
    network_for: Callable[[float], Architecture],
    start: float,
    largest_budget: float,
    limit: float,
    measure: Callable[[Architecture], Latency] = measure_latency,
) -> list[Latency]:
    """Search the network with the most multiply-adds whose latency is at most `limit`.

    The search assumes that latency is a power of the budget, and measures the budget where this curve meets the limit.

    Args:
        network_for: returns the network for a budget of multiply-adds; raises UserError if the budget is out of reach.
        start: the first budget.
        largest_budget: the upper end of the search.
        limit: seconds for one image.
        measure: measures the latency of a network.

    Returns:
        All measurements, fewest multiply-adds first. The last one that meets the limit is the answer.

    Raises:
        UserError: none of the measured networks meets the limit.
    """
    measured: dict[int, Latency] = {}  # by multiply-adds, because several budgets may give the same network
    slow: Trial | None = None  # the smallest budget that misses the limit
    fast: Trial | None = None  # the largest budget that meets the limit
    budget = start
    for _ in tqdm(range(MAX_MEASUREMENTS), desc="measuring", leave=False, disable=None):
        try:
            network = network_for(budget)
        except UserError:
            if slow is None and fast is None:
                raise
            if slow is None:
                break
            budget = sqrt(budget * slow.budget)  # between this budget, which is too small, and one that can be built
            if slow.budget <= budget * (1 + BUDGET_TOLERANCE):
                break
            continue
        macs = total_cost(network).macs
        latency = measured[macs] = measured.get(macs) or measure(network)
        if latency.seconds <= limit:
            fast = Trial(budget, latency.seconds)
        else:
            slow = Trial(budget, latency.seconds)
        if fast and budget == largest_budget:
            break
        if fast and slow and slow.budget <= fast.budget * (1 + BUDGET_TOLERANCE):
            break
        budget = min(largest_budget, _next_budget(budget, slow, fast, limit))
    if fast is None:
        fastest = min(latency.seconds for latency in measured.values())
        raise UserError(
            f"latency is {limit * 1e3:g}ms; the fastest network of this family that was measured takes "
            f"{fastest * 1e3:.2f} ms here; raise the limit, or choose a smaller --base"
        )
    return [measured[macs] for macs in sorted(measured)]


def _next_budget(budget: float, slow: Trial | None, fast: Trial | None, limit: float) -> float:
    """Return the budget whose latency should be the limit.

    A step changes the budget by a factor of at most 5, and stays away from the ends of the interval (fast, slow).
    """
    if slow and fast:
        share = log(limit / fast.seconds) / log(slow.seconds / fast.seconds)
        return fast.budget * (slow.budget / fast.budget) ** min(0.85, max(0.15, share))
    if slow:
        return slow.budget * max(0.2, min(0.9, limit / slow.seconds))
    if fast:
        return fast.budget * min(5, max(1.1, limit / fast.seconds))
    return budget

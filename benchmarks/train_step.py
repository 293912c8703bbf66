"""Measure a compiled training step, the share of the EMA in it, and the gain from limiting the CPU instruction set.

    python benchmarks/train_step.py [--model tinynet_c] [--batch_size 32] [--input_size 0] [--steps 12]
    python benchmarks/train_step.py --compare_isa      # on an AVX-512 CPU: with and without the limit of src/runtime

Steps with and without the EMA alternate in one process, and medians are compared. --compare_isa starts two processes.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from src.config import RecipeOptions

if TYPE_CHECKING:
    from mindspore import Tensor

    from src.training.step import TrainStep

    Batch = tuple[Tensor, Tensor]


def build(model: str, size: int, batch_size: int, ema_decay: float) -> tuple[TrainStep, Batch]:
    """Return a compiled step of the paper's recipe and a batch of noise; `size` 0 is the network's resolution."""
    from mindspore import Tensor

    from src.classification.loss import NetworkWithLoss
    from src.models import create_model
    from src.training.optimizers import build_optimizer
    from src.training.schedule import learning_rates
    from src.training.step import TrainStep

    recipe = RecipeOptions(epochs=1, warmup_epochs=0, ema_decay=ema_decay)
    network = create_model(model, dropout=recipe.dropout)
    size = size or network.architecture.resolution
    optimizer = build_optimizer(network, recipe, learning_rates(recipe, 1000, batch_size))
    loss = NetworkWithLoss(network, 1000, recipe.label_smoothing)
    step = TrainStep(network, loss, optimizer, recipe)
    rng = np.random.RandomState(0)
    images = Tensor(rng.randn(batch_size, 3, size, size).astype(np.float32))
    return step, (images, Tensor(rng.randint(0, 1000, batch_size).astype(np.int32)))


def seconds(step: TrainStep, batch: Batch) -> float:
    """Return the seconds of one step; fetching the loss waits for the device."""
    began = time.perf_counter()
    step(*batch).asnumpy()
    return time.perf_counter() - began


def measure(args: argparse.Namespace) -> None:
    """Print the speed of a step and the share of the EMA."""
    from src.runtime import device

    print(f"{args.model}, batch {args.batch_size}, {device.setup(args.device_target)}")
    steps = {ema: build(args.model, args.input_size, args.batch_size, ema) for ema in (0.9999, 0.0)}
    for ema, (step, batch) in steps.items():
        print(f"  compiled {'with' if ema else 'without'} EMA in {seconds(step, batch):.1f} s")
    times: dict[float, list[float]] = {ema: [] for ema in steps}
    for _ in range(args.steps):
        for ema, (step, batch) in steps.items():
            times[ema].append(seconds(step, batch))
    with_ema, without = (statistics.median(times[ema]) for ema in (0.9999, 0.0))
    rates = f"{1 / with_ema:.2f} steps/s, {args.batch_size / with_ema:.1f} images/s"
    print(f"  step {1e3 * with_ema:.0f} ms, {rates}")
    # Each step is compared to its neighbor, so that background load slows both alike.
    share = statistics.median(one / other for one, other in zip(times[0.9999], times[0.0])) - 1
    print(f"  the EMA costs {share:+.1%} of a step ({1e3 * (with_ema - without):+.1f} ms)")


def compare_isa(args: argparse.Namespace) -> None:
    """Print the ratio of images/s with the limit that src/runtime/device.py chooses to images/s without a limit."""
    flags = [f"--{key}={getattr(args, key)}" for key in ("model", "batch_size", "input_size", "steps", "device_target")]
    rates = {}
    for name, limit in {"chosen": {}, "unlimited": {"ONEDNN_MAX_CPU_ISA": "ALL"}}.items():
        clean = {
            key: value for key, value in os.environ.items() if key not in ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")
        }
        done = subprocess.run(
            [sys.executable, __file__, *flags], env=clean | limit, capture_output=True, text=True, check=True
        )
        rates[name] = float(re.findall(r"([\d.]+) images/s", done.stdout)[0])
        print(f"  {name:<10} {rates[name]:6.1f} images/s")
    print(f"the limit makes a step {rates['chosen'] / rates['unlimited']:.2f} x as fast (1 x on a CPU without AVX-512)")


def main() -> None:
    """Parse the command line, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="tinynet_c", help="name of a network")
    parser.add_argument("--batch_size", type=int, default=32, help="images per step")
    parser.add_argument("--input_size", type=int, default=0, help="pixels; 0: the resolution of the model")
    parser.add_argument("--steps", type=int, default=12, help="timed steps with EMA, and as many without")
    parser.add_argument("--device_target", default="auto", help="auto, CPU, GPU or Ascend")
    parser.add_argument("--compare_isa", action="store_true", help="with and without the limit")
    args = parser.parse_args()
    (compare_isa if args.compare_isa else measure)(args)


if __name__ == "__main__":
    main()

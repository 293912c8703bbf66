"""Measure a compiled training step, the share of the EMA in it, and the gain from CPU kernels and instruction sets.

    python benchmarks/train_step.py [--model tinynet_c] [--batch_size 32] [--input_size 0] [--steps 12]
    python benchmarks/train_step.py --compare_isa      # on an AVX-512 CPU: with and without the limit of src/runtime
    python benchmarks/train_step.py --compare_kernels  # graph compilation and speed, with and without the CPU kernels
    python benchmarks/train_step.py --against timm [--task eval] [--timm_python PATH] [--model tinynet_c tinynet_e]

Steps with and without the EMA alternate in one process, and medians are compared. --compare_isa and --compare_kernels
start two processes, one after the other.
--against timm needs torch and timm; where they are in another environment, --timm_python names the Python of that one.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.against_timm import compare
from benchmarks.step_server import serve
from src.config import TrainConfig

if TYPE_CHECKING:
    from mindspore import Tensor, nn

    from src.runtime.device import Device
    from src.training.step import TrainStep

    Batch = tuple[Tensor, Tensor]


KERNELS = (  # in the order of the table in docs/en/cpu_kernels.md
    *("depthwise", "norm_act", "squeeze_excite", "update", "pointwise", "norm_depthwise", "ends"),
)


def build(
    model: str, size: int, batch_size: int, ema_decay: float, kernels: Sequence[str] = KERNELS
) -> tuple[TrainStep, Batch]:
    """Return a compiled step of the paper's recipe and a batch of noise; `size` 0 is the network's resolution."""
    from mindspore import Tensor

    from src.classification.loss import NetworkWithLoss
    from src.models import create_model
    from src.training.optimizers import build_optimizer
    from src.training.schedule import learning_rates
    from src.training.step import TrainStep

    recipe = TrainConfig(epochs=1, warmup_epochs=0, ema_decay=ema_decay)
    network = create_model(model, dropout=recipe.dropout)
    use_kernels(network, kernels)
    size = size or network.architecture.resolution
    optimizer = build_optimizer(network, recipe, learning_rates(recipe, 1000, batch_size))
    loss = NetworkWithLoss(network, 1000, recipe.label_smoothing)
    step = TrainStep(network, loss, optimizer, recipe)
    if "update" not in kernels:
        optimizer.native = step.native_average = None
    rng = np.random.RandomState(0)
    images = Tensor(rng.randn(batch_size, 3, size, size).astype(np.float32))
    return step, (images, Tensor(rng.randint(0, 1000, batch_size).astype(np.int32)))


def use_kernels(network: nn.Cell, kernels: Sequence[str]) -> None:
    """Let some of the CPU kernels compute; none where they are not in use."""
    from src.kernels.library import library
    from src.networks.blocks import InvertedResidual
    from src.networks.layers import Depthwise, GlobalMean, NormAct, Pointwise, SqueezeExcite, Stem
    from src.networks.network import Network

    kinds: dict[str, Any] = {
        "depthwise": Depthwise,
        "norm_act": NormAct,
        "squeeze_excite": SqueezeExcite,
        "pointwise": Pointwise,
        "norm_depthwise": (InvertedResidual, Network),
        "ends": (GlobalMean, Stem),
    }
    chosen = tuple(kinds[name] for name in kernels if name in kinds)  # isinstance takes tuples of tuples
    for _, cell in network.cells_and_names():
        if library() is not None and isinstance(cell, chosen):
            cell.use_native()


def evaluation(model: str, size: int, batch_size: int, kernels: Sequence[str]) -> Callable[[], object]:
    """Return an evaluation of a batch of noise."""
    from mindspore import Tensor

    from src.models import create_model

    network = create_model(model).set_train(False)
    use_kernels(network, kernels)
    size = size or network.architecture.resolution
    images = Tensor(np.random.RandomState(0).randn(batch_size, 3, size, size).astype(np.float32))
    return lambda: network(images).asnumpy()


def seconds(step: TrainStep, batch: Batch) -> float:
    """Return the seconds of one step; fetching the loss waits for the device."""
    began = time.perf_counter()
    step(*batch).asnumpy()
    return time.perf_counter() - began


def measure(args: argparse.Namespace, model: str, used: Device) -> None:
    """Print the speed of a step and the share of the EMA."""
    print(f"{model}, batch {args.batch_size}, {used}")
    steps = {ema: build(model, args.input_size, args.batch_size, ema, args.kernels) for ema in (0.9999, 0.0)}
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
    rates = {}
    for name, limit in {"chosen": {}, "unlimited": {"ONEDNN_MAX_CPU_ISA": "ALL"}}.items():
        clean = {
            key: value for key, value in os.environ.items() if key not in ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")
        }
        rates[name] = float(re.findall(r"([\d.]+) images/s", measured(args, args.cpu_kernels, clean | limit))[0])
        print(f"  {name:<10} {rates[name]:6.1f} images/s")
    print(f"the limit makes a step {rates['chosen'] / rates['unlimited']:.2f} x as fast (1 x on a CPU without AVX-512)")


def compare_kernels(args: argparse.Namespace) -> None:
    """Print how long the graph compiles, until the first step is done, and the speed: with kernels and without."""
    for choice in ("on", "off"):
        text = measured(args, choice, dict(os.environ))
        compiled, rate = (re.findall(pattern, text)[0] for pattern in (r"with EMA in ([\d.]+) s", r"([\d.]+) images/s"))
        print(f"  cpu_kernels {choice:<4} compiled in {compiled:>5} s, {rate:>6} images/s", flush=True)


def measured(args: argparse.Namespace, cpu_kernels: str, environment: dict[str, str]) -> str:
    """Return what this program prints for the first network in a process of its own."""
    keys = ("batch_size", "input_size", "steps", "device_target")
    flags = ["--model", args.model[0], *(f"--{key}={getattr(args, key)}" for key in keys), "--cpu_kernels", cpu_kernels]
    command = [sys.executable, __file__, *flags]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def serve_steps(args: argparse.Namespace) -> None:
    """Take steps on request, for `against_timm.py`."""
    model, size, batch_size = args.model[0], args.input_size, args.batch_size
    if args.task == "eval":
        serve({"ours": evaluation(model, size, batch_size, args.kernels)})
        return
    step, batch = build(model, size, batch_size, 0.9999, args.kernels)
    serve({"ours": lambda: step(*batch).asnumpy()})


def compare_timm(args: argparse.Namespace) -> None:
    """Print the images/s of both and their ratio, for each network."""
    from src.design.families import ARCHITECTURES
    from src.runtime.workers import usable_cores

    print(f"{args.task}, batch {args.batch_size}, {usable_cores()} threads, cpu_kernels {args.cpu_kernels}")
    for model in args.model:
        size = args.input_size or ARCHITECTURES[model].resolution
        flags = ["--input_size", str(size), "--cpu_kernels", args.cpu_kernels, "--kernels", *args.kernels]
        timm = args.timm_python
        print(
            f"  {compare(model, size, args.batch_size, args.task, args.steps, usable_cores(), timm, flags)}", flush=True
        )


def main() -> None:
    """Parse the command line, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", nargs="+", default=["tinynet_c"], help="names of networks")
    parser.add_argument("--batch_size", type=int, default=32, help="images per step")
    parser.add_argument("--input_size", type=int, default=0, help="pixels; 0: the resolution of the model")
    parser.add_argument("--steps", type=int, default=12, help="timed steps with EMA, and as many without; or rounds")
    parser.add_argument("--device_target", default="auto", help="auto, CPU, GPU or Ascend")
    parser.add_argument("--cpu_kernels", choices=("auto", "on", "off"), default="auto", help="as in train.py")
    parser.add_argument("--kernels", nargs="*", choices=KERNELS, default=KERNELS, help="these kernels only")
    parser.add_argument("--compare_isa", action="store_true", help="with and without the limit")
    parser.add_argument("--compare_kernels", action="store_true", help="with and without the CPU kernels")
    parser.add_argument("--against", choices=("timm",), help="compare with PyTorch and timm")
    parser.add_argument("--task", choices=("train", "eval"), default="train", help="with --against")
    parser.add_argument("--timm_python", default=sys.executable, help="Python of an environment with torch and timm")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.against:
        compare_timm(args)
    elif args.compare_isa:
        compare_isa(args)
    elif args.compare_kernels:
        compare_kernels(args)
    else:
        from src.kernels.library import choose_kernels
        from src.runtime import device

        used = device.setup(args.device_target)
        choose_kernels(args.cpu_kernels)
        if args.serve:
            serve_steps(args)
        else:
            for model in args.model:
                measure(args, model, used)


if __name__ == "__main__":
    main()

"""Measure whether config/search/proxy.yaml tells networks apart: the same order with other seeds, and in longer runs.

    python benchmarks/proxy.py [--run_dir runs/proxy] [--parallel 2] [--output docs/results/proxy]

Twelve networks are trained with two seeds for the epochs of the recipe, and with the first seed for twice as many. They
are EfficientNet-B0 at 64 pixels with other resolutions, widths and depths: 0.7 to 11 million MACs, five of them with 3
million. Each training is a process with one thread. A stopped measurement resumes where it was.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from src.cli import parse
from src.config import TrainConfig
from src.design.architecture import Architecture
from src.design.architecture_file import save_architecture
from src.design.cost import total_cost
from src.design.families import EFFICIENTNET_B0
from src.design.scaling import tiny_scale
from src.runtime.files import write_text
from src.search.analysis.correlation import spearman

RECIPE = PROJECT / "config" / "search" / "proxy.yaml"
BASE = EFFICIENTNET_B0.at(64)
CLASSES = 10
FACTORS = (  # pixels, width, depth
    (24, 0.35, 0.35),
    (32, 0.35, 0.35),
    (24, 0.5, 0.6),
    (32, 0.5, 0.6),
    (64, 0.217, 0.35),  # this and the next four: 3.0 million MACs
    (48, 0.325, 0.6),
    (40, 0.266, 0.9),
    (32, 0.829, 0.35),
    (24, 0.559, 0.9),
    (48, 0.5, 0.6),
    (64, 0.5, 0.6),
    (64, 0.5, 0.9),
)
SEEDS = (1, 2)


@dataclass(frozen=True)
class Training:
    """One training: a network, by its index in `FACTORS`, its epochs and its seed."""

    network: int
    epochs: int
    seed: int

    @property
    def name(self) -> str:
        return f"network{self.network:02d}-{self.epochs}epochs-seed{self.seed}"


@dataclass(frozen=True)
class Outcome:
    """Result of a training: top-1 in percent and cross-entropy after the last epoch, and its processor time."""

    top1: float
    loss: float
    cpu_seconds: float


def architecture(network: int) -> Architecture:
    """Return one of the networks."""
    pixels, width, depth = FACTORS[network]
    return tiny_scale(BASE.at(pixels), 1, width, depth, name=f"proxy{network:02d}")


def run(training: Training, folder: Path, flags: Sequence[str]) -> Outcome:
    """Return the outcome of a training, which is run unless its folder has it."""
    run_dir = folder / training.name
    if not (run_dir / "outcome.json").exists():
        shutil.rmtree(run_dir, ignore_errors=True)  # of a training that was stopped
        file = folder / f"network{training.network:02d}.yaml"
        seconds = _train(file, training, run_dir, flags)
        with open(run_dir / "metrics.csv", newline="", encoding="utf-8") as metrics:
            last = list(csv.DictReader(metrics))[-1]
        outcome = {"top1": float(last["raw_top1"]), "loss": float(last["raw_loss"]), "cpu_seconds": seconds}
        write_text(run_dir / "outcome.json", json.dumps(outcome))
        print(f"{training.name}  top-1 {outcome['top1']:.2f} %, {seconds:.0f} s of processor time", flush=True)
    return Outcome(**json.loads((run_dir / "outcome.json").read_text(encoding="utf-8")))


def _train(file: Path, training: Training, run_dir: Path, flags: Sequence[str]) -> float:
    """Train in a process with one thread, and return its processor time in seconds."""
    command = [sys.executable, PROJECT / "train.py", "--config", RECIPE, "--model", file, "--run_dir", run_dir]
    command += ["--epochs", training.epochs, "--eval_interval", training.epochs, "--seed", training.seed, *flags]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(list(map(str, command)), env=environment, stdout=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{training.name} ended with status {process.returncode}; see {run_dir}/train.log")
    return used.ru_utime + used.ru_stime


def trainings(epochs: int) -> list[Training]:
    """Return all trainings: networks with each seed, then for twice the epochs."""
    short = [Training(network, epochs, seed) for seed in SEEDS for network in range(len(FACTORS))]
    return short + [Training(network, 2 * epochs, SEEDS[0]) for network in range(len(FACTORS))]


def rows(outcomes: dict[Training, Outcome], epochs: int) -> list[dict[str, str]]:
    """Return the table: a row for each network."""
    found = []
    for network, (pixels, width, depth) in enumerate(FACTORS):
        design, cost = architecture(network), total_cost(architecture(network), CLASSES)
        first, second, longer = (outcomes[training] for training in trainings(epochs) if training.network == network)
        found.append(
            {
                "pixels": str(pixels),
                "width": f"{width:g}",
                "depth": f"{depth:g}",
                "blocks": str(sum(stage.repeats for stage in design.stages)),
                "mmacs": f"{cost.macs / 1e6:.2f}",
                "top1_seed1": f"{first.top1:.2f}",
                "top1_seed2": f"{second.top1:.2f}",
                "top1_twice_the_epochs": f"{longer.top1:.2f}",
                "cpu_seconds": f"{(first.cpu_seconds + second.cpu_seconds) / 2:.0f}",
                "cpu_seconds_twice_the_epochs": f"{longer.cpu_seconds:.0f}",
            }
        )
    return found


def summary(table: list[dict[str, str]], epochs: int) -> str:
    """Return what the table shows, as text of a few lines."""
    first, second, longer, mmacs, seconds = (
        [float(row[key]) for row in table]
        for key in ("top1_seed1", "top1_seed2", "top1_twice_the_epochs", "mmacs", "cpu_seconds")
    )
    deviation = (sum((one - other) ** 2 for one, other in zip(first, second)) / (2 * len(table))) ** 0.5
    lines = {
        "networks": f"{len(table)}, {min(mmacs):.2f} to {max(mmacs):.2f} M MACs",
        "epochs": str(epochs),
        "rank correlation of two seeds": str(spearman(first, second, seed=0)),
        f"rank correlation with {2 * epochs} epochs": str(spearman(first, longer, seed=0)),
        f"the same, mean of two seeds with {2 * epochs} epochs": str(
            spearman([(one + other) / 2 for one, other in zip(first, second)], longer, seed=0)
        ),
        "top-1": f"{min(first + second):.1f} to {max(first + second):.1f} %",
        "standard deviation between seeds": f"{deviation:.1f} points",
        "processor time": f"{min(seconds):.0f} to {max(seconds):.0f} s, mean {sum(seconds) / len(seconds):.0f} s",
    }
    return "\n".join(f"{key}: {value}" for key, value in lines.items()) + "\n"


def main() -> None:
    """Parse the command line, train what is missing, print and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run_dir", type=Path, default=Path("runs/proxy"), help="folder of the trainings")
    parser.add_argument("--parallel", type=int, default=2, help="trainings at a time")
    parser.add_argument("--output", type=Path, help="folder for trials.csv and summary.txt")
    args, flags = parser.parse_known_args()

    epochs = parse(TrainConfig, ["--config", str(RECIPE), *flags]).epochs
    for network in range(len(FACTORS)):
        save_architecture(architecture(network), args.run_dir / f"network{network:02d}.yaml")
    began, jobs = time.monotonic(), trainings(epochs)
    with ThreadPoolExecutor(args.parallel) as pool:
        outcomes = dict(zip(jobs, pool.map(lambda job: run(job, args.run_dir, flags), jobs)))
    table = rows(outcomes, epochs)
    text = summary(table, epochs)
    print("\n".join("  ".join(f"{cell:>10}" for cell in row.values()) for row in table))
    print(f"{text}{(time.monotonic() - began) / 60:.0f} minutes")
    if args.output:
        columns = [",".join(table[0]), *(",".join(row.values()) for row in table)]
        write_text(args.output / "trials.csv", "\n".join(columns) + "\n")
        write_text(args.output / "summary.txt", text)


if __name__ == "__main__":
    main()

"""Check that a refactor changes no bit of a training: hash the losses and the final tensors of three fixed runs.

    python benchmarks/fixed_run.py [--only plain mixed ranks] [--project DIR] [--json]

Each run trains TinyNet-E on the digits at 48 px for 20 steps on the CPU, with seed 1:

    plain    70 images a step
    mixed    gradient accumulation 2 x 35, mixup 0.2, CutMix 1.0, precision O2
    ranks    two processes x 35 images, started by scripts/run_distribute_train.sh

Run it on the version before and on the version after, on the same machine with the same MindSpore; all lines must be
equal. `--project` measures another checkout. Hashes of two machines differ, because CPU kernels round differently.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

PROJECT = Path(__file__).resolve().parent.parent
STEPS = 20  # 1,437 images // 70
TIMES = {"seconds", "images_per_second", "data_wait"}  # columns of metrics.csv that differ between equal runs
ALL = " --epochs 1 --warmup_epochs 0.5 --log_interval 1 --seed 1 --device_target CPU"
ALONE = "python train.py --config config/digits.yaml"
RUNS = {
    "plain": f"{ALONE} --batch_size 70",
    "mixed": f"{ALONE} --batch_size 35 --accumulate 2 --mixup 0.2 --cutmix 1.0 --amp_level O2",
    # The two empty words stand for the default configuration and for no resume.
    "ranks": "bash scripts/run_distribute_train.sh 2 digits '' '' --batch_size 35",
}


class Result(NamedTuple):
    """Losses, metrics and hashes of a finished run; hashes are SHA-256 as hexadecimal digits."""

    losses: list[str]  # of each step, as train.log prints them
    metrics: dict[str, str]  # the row of metrics.csv without its times
    tensors: int
    losses_sha256: str
    tensors_sha256: str


def train(command: str, project: Path, folder: Path, progress: tqdm) -> None:
    """Run one training in `project` and keep it in `folder`; exit with its last lines if it fails.

    It computes with MindSpore's operators: a change of the project's own CPU kernels may change their rounding.
    """
    if (project / "src" / "kernels").exists():
        command += " --cpu_kernels off"
    words = [sys.executable if word == "python" else word for word in shlex.split(command + ALL)]
    process = subprocess.Popen(
        [*words, "--run_dir", str(folder)],
        cwd=project,
        env=os.environ | {"PYTHON": sys.executable},  # for the launcher, because the checkout may have no .venv
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None  # because of PIPE
    lines = []
    for line in process.stdout:
        lines.append(line)
        progress.update(bool(re.search(r"step \d+/\d+, loss", line)))
    if process.wait():
        sys.exit(f"error: `{command}{ALL}` ended with status {process.returncode}:\n{''.join(lines[-20:])}")


def read_losses(log: Path) -> list[str]:
    """Return the loss of each step as printed; exit if a step is missing, because hashes would then say nothing."""
    losses = re.findall(r"step \d+/\d+, loss ([\d.]+)", log.read_text(encoding="utf-8"))
    if len(losses) != STEPS:
        sys.exit(f"error: {log} holds the losses of {len(losses)} steps, expected {STEPS}; did the log's words change?")
    return losses


def hash_tensors(checkpoint: Path) -> tuple[int, str]:
    """Return the number of tensors and the SHA-256 of their names and bytes, in the order of names, without `meta`.

    The file is parsed here and not by src/weights, so that a change of the reader cannot hide a change of the weights.
    """
    from mindspore.train.checkpoint_pb2 import Checkpoint

    message = Checkpoint()
    message.ParseFromString(checkpoint.read_bytes())
    records = sorted((record for record in message.value if record.tag != "meta"), key=lambda record: record.tag)
    digest = hashlib.sha256()
    for record in records:
        digest.update(record.tag.encode() + record.tensor.tensor_content)
    return len(records), digest.hexdigest()


def read_run(folder: Path) -> Result:
    """Return the hashes of a finished run folder."""
    losses = read_losses(folder / "train.log")
    with open(folder / "metrics.csv", newline="", encoding="utf-8") as file:
        metrics = {key: value for key, value in next(csv.DictReader(file)).items() if key not in TIMES}
    tensors, digest = hash_tensors(folder / "checkpoints" / "last.ckpt")
    return Result(losses, metrics, tensors, hashlib.sha256(" ".join(losses).encode()).hexdigest(), digest)


def main() -> None:
    """Train, hash and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=RUNS, default=list(RUNS), help="runs to do; default all")
    parser.add_argument("--project", type=Path, default=PROJECT, help="checkout to measure; default this one")
    parser.add_argument("--json", action="store_true", help="print one JSON object with losses and metrics too")
    args = parser.parse_args()
    results = {}
    with (
        tempfile.TemporaryDirectory() as scratch,
        tqdm(total=STEPS * len(args.only), unit="step", disable=None) as progress,
    ):
        for name in args.only:
            progress.set_description(name)
            train(RUNS[name], args.project.resolve(), Path(scratch) / name, progress)
            results[name] = read_run(Path(scratch) / name)
            if not args.json:
                tqdm.write(line_of(name, results[name]), file=sys.stdout)
    if args.json:
        print(json.dumps({name: result._asdict() for name, result in results.items()}))


def line_of(name: str, result: Result) -> str:
    """Return one line to compare: 24 hexadecimal digits of each hash, and the metrics."""
    metrics = " ".join(f"{key}={value}" for key, value in result.metrics.items())
    return (
        f"{name}  losses {result.losses_sha256[:24]}  {result.tensors} tensors {result.tensors_sha256[:24]}  {metrics}"
    )


if __name__ == "__main__":
    main()

"""Measure the memory of a long training: 4,000 steps and 40 evaluations of a small network.

    python benchmarks/memory.py [--epochs 40]

Prints the resident memory of train.py after each epoch (100 steps and an evaluation), and by how much it has grown in
the second half. Ends with status 1 if that is more than 2 %. In the first epochs caches fill and the heap grows.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

PROJECT = Path(__file__).resolve().parent.parent
NETWORK = PROJECT / "tests/support/small_network.yaml"
ALLOWED_GROWTH = 0.02
BATCH, STEPS = 8, 100
FLAGS = f"--batch_size {BATCH} --warmup_epochs 0 --lr 0.01 --color_jitter 0 --log_interval 50 --device_target CPU"


def make_images(folder: Path) -> None:
    """Write 800 training and 80 validation images of noise in two classes."""
    rng = np.random.default_rng(0)
    for split, count in {"train": BATCH * STEPS // 2, "val": 40}.items():
        for name in ("a", "b"):
            (folder / split / name).mkdir(parents=True)
            for number in range(count):
                pixels = rng.integers(0, 255, (40, 40, 3)).astype(np.uint8)
                Image.fromarray(pixels).save(folder / split / name / f"{number}.png")


def memory_of_epochs(folder: Path, epochs: int) -> list[float]:
    """Train, and return the resident memory after each epoch in MB."""
    words = f"train.py --model {NETWORK} --data_path {folder}/data --run_dir {folder}/run --epochs {epochs} {FLAGS}"
    command = [sys.executable, *words.split()]
    found: list[float] = []
    with subprocess.Popen(command, cwd=PROJECT, stderr=subprocess.PIPE, text=True) as training:
        process = psutil.Process(training.pid)
        for line in training.stderr or ():
            if re.match(r"epoch \d+/\d+, loss", line):
                found.append(process.memory_info().rss / 1e6)
                print(f"epoch {len(found)}: {found[-1]:.1f} MB", flush=True)
    if training.returncode or len(found) < epochs:
        sys.exit(f"the training ended with status {training.returncode} after {len(found)} epochs")
    return found


def main() -> int:
    """Print the growth of memory, and return 1 if it is too large."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=40)
    with tempfile.TemporaryDirectory() as folder:
        make_images(Path(folder) / "data")
        found = memory_of_epochs(Path(folder), parser.parse_args().epochs)
    half = len(found) // 2
    growth = found[-1] / found[half - 1] - 1
    print(f"from {STEPS * half:,} to {STEPS * len(found):,} steps, evaluated {half} more times: {growth:+.2%}")
    return int(growth > ALLOWED_GROWTH)


if __name__ == "__main__":
    sys.exit(main())

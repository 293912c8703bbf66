"""Compare training with ranks that share the cores of a machine to training with one process, in images/s.

    python benchmarks/distributed.py [--model tinynet_c] [--batch_size 32] [--ranks 2] [--steps 3] [--rounds 5]

Both sides use the same global batch. They run at the same time and take turns, so that background load slows both
alike; the ratio is the median over the rounds. The images are noise, because only the step is measured (with the
exchange of gradients), not the reading of files.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.train_step import build, seconds
from src.launch.job import Job
from src.launch.plan import free_port
from src.launch.supervisor import Supervisor
from src.runtime.workers import usable_cores


def take_turns(folder: Path, name: str, args: argparse.Namespace) -> None:
    """Run one side: do `steps` steps in each turn, and write their seconds to a file that ends the turn."""
    from src.runtime import device, distributed

    device.setup("CPU", seed=1)
    step, batch = build(args.model, args.input_size, args.batch_size // distributed.ranks(), 0.9999)
    seconds(step, batch)
    for number in range(args.rounds + 1):
        wait_for(folder / f"{name}-{number}-go")
        times = [seconds(step, batch) for _ in range(args.steps)]
        if distributed.is_first():
            (folder / "text").write_text(str(sum(times)))
            (folder / "text").rename(folder / f"{name}-{number}-done")


def turn(folder: Path, name: str, number: int, images: int) -> float:
    """Start the turn of one side, wait for its end and return its images/s."""
    (folder / f"{name}-{number}-go").touch()
    return images / float(wait_for(folder / f"{name}-{number}-done").read_text())


def wait_for(path: Path) -> Path:
    """Wait until a file exists, and return its path."""
    while not path.exists():
        time.sleep(0.01)
    return path


def compare(args: argparse.Namespace, argv: list[str]) -> None:
    """Start both sides, let them take turns and print the ratio."""
    images = args.batch_size * args.steps
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        side = [str(Path(__file__).resolve()), *argv, "--folder", name, "--side"]
        alone = subprocess.Popen([sys.executable, *side, "alone"])
        job = f"from benchmarks.distributed import start; start({args.ranks}, {[*side, 'ranks']}, {name + '/logs'!r})"
        paths = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parent.parent)}
        ranks = subprocess.Popen([sys.executable, "-c", job], env=paths)
        rates = []
        try:
            for number in range(args.rounds + 1):
                pair = [turn(folder, side, number, images) for side in ("alone", "ranks")]
                if number:  # the first round is a warm-up
                    rates.append(pair)
                    print(f"  round {number}: {pair[0]:.1f} and {pair[1]:.1f} images/s", flush=True)
            print(f"{args.model}, batch {args.batch_size}, {usable_cores()} cores")
            for what, found in zip(("one process", f"{args.ranks} ranks"), zip(*rates)):
                print(f"  {what:<12} {statistics.median(found):6.1f} images/s")
            print(f"  ratio        {statistics.median(two / one for one, two in rates):6.2f}")
            alone.wait()
            ranks.wait()
        finally:
            for process in (alone, ranks):
                process.terminate()
                process.wait()


def start(ranks: int, command: list[str], logs: str) -> None:
    """Run the ranks with the project's own launcher, and exit with its status."""
    sys.exit(Supervisor(Job(ranks, ranks, port=free_port()), command, Path(logs)).run())


def main() -> None:
    """Parse the command line and run the comparison, or one side of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="tinynet_c", help="name of a network")
    parser.add_argument("--batch_size", type=int, default=32, help="global batch: images of all ranks together")
    parser.add_argument("--input_size", type=int, default=0, help="pixels; 0: the resolution of the model")
    parser.add_argument("--ranks", type=int, default=2, help="processes on the side with ranks")
    parser.add_argument("--steps", type=int, default=3, help="steps in a turn")
    parser.add_argument("--rounds", type=int, default=5, help="rounds; the median counts")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--side", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.side:
        take_turns(args.folder, args.side, args)
    else:
        compare(args, sys.argv[1:])


if __name__ == "__main__":
    main()

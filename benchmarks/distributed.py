"""Images/s of the whole machine: one process with all cores against ranks that share them, with the same global batch.

    python benchmarks/distributed.py [--model tinynet_c] [--batch_size 32] [--ranks 2] [--steps 3] [--rounds 5]

Both are started at once and take turns, so that a slow spell of the machine falls on both; the ratio is the median over
the rounds. Images are noise: it is the step that is measured, with the exchange of gradients, not the reading.
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
    """One side: do `steps` steps in each of its turns, and leave word how long they took."""
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
    """Let one side do its steps; images/s."""
    (folder / f"{name}-{number}-go").touch()
    return images / float(wait_for(folder / f"{name}-{number}-done").read_text())


def wait_for(path: Path) -> Path:
    """Until a file is there."""
    while not path.exists():
        time.sleep(0.01)
    return path


def compare(args: argparse.Namespace, argv: list[str]) -> None:
    """Start both sides, let them take turns, print the ratio."""
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
                if number:  # the first round warms up
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
    """The ranks, under the project's own launcher."""
    sys.exit(Supervisor(Job(ranks, ranks, port=free_port()), command, Path(logs)).run())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="tinynet_c")
    parser.add_argument("--batch_size", type=int, default=32, help="of all ranks together")
    parser.add_argument("--input_size", type=int, default=0, help="pixels; 0: the model's own")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--steps", type=int, default=3, help="steps of a turn")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--side", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.side:
        take_turns(args.folder, args.side, args)
    else:
        compare(args, sys.argv[1:])


if __name__ == "__main__":
    main()

"""Compare backbones of SSDLite on the embedded scenes of digits; by default the pair that the TinyNet paper compares.

    python benchmarks/detection_pair.py --parallel 2 --output docs/results/ssdlite_pair

A run is a backbone and a seed. It trains a classifier on the plain digits by config/digits.yaml, then a detector from
its weights by config/ssdlite_digits.yaml, and scores the detector once, after the last epoch. Only backbones and seeds
differ. A stopped comparison resumes: runs.jsonl has a line for each finished run, report.md compares all of them.
Six runs took 39 minutes on two cores, with some minutes of pauses (docs/results/ssdlite_pair).
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import product
from pathlib import Path
from shlex import join

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from benchmarks.pair_report import MARK, SCORES, Result, Run, compare
from src.cli import parse
from src.config import DetectTrainConfig, TrainConfig
from src.design.detector import Detector, detector_cost
from src.design.families import find_architecture
from src.errors import UserError
from src.runtime.durations import duration
from src.runtime.files import check_replaceable, write_text
from src.runtime.streams import report
from src.runtime.workers import usable_cores
from src.search.study.pool import LocalPool
from src.search.study.process import OUTPUT, Job

CLASSIFIER, DETECTOR = PROJECT / "config" / "digits.yaml", PROJECT / "config" / "ssdlite_digits.yaml"
PAIR = ("tinynet_d", "efficientnet_b_minus_3")  # the paper's, on COCO
CLASSES = 10
POLL = 0.2  # seconds


def steps(run: Run, folder: Path) -> dict[str, list[object]]:
    """Return the commands of a run, by the names of their folders."""
    classifier, detector = folder / "classifier", folder / "detector"
    own = ["--model", run.backbone, "--seed", run.seed, "--resume", "auto"]
    length, short = ["--epochs", run.epochs, "--eval_interval", run.epochs], ["--epochs", run.classifier_epochs]
    detect, weights = PROJECT / "detect.py", Path("checkpoints", "best.ckpt")
    start = ["--ckpt", classifier / weights]
    return {
        "classifier": [PROJECT / "train.py", "--config", CLASSIFIER, "--run_dir", classifier, *own, *short],
        "detector": [detect, "train", "--config", DETECTOR, "--run_dir", detector, *start, *own, *length],
        "scores": [detect, "eval", "--ckpt", detector / weights, "--data_path", "digits", "--json"],
    }


def job(number: int, folder: Path, step: str, command: Sequence[object]) -> Job:
    """Return a command as a job whose output goes to FOLDER/STEP."""
    place = folder.absolute() / step
    place.mkdir(parents=True, exist_ok=True)
    return Job(number, tuple(map(str, command)), place)


def finish(runs: Sequence[Run], folder: Path, pool: LocalPool) -> Iterator[Run]:
    """Run the commands of all runs, as many at a time as the pool has places, and yield each run when it has ended.

    Raises:
        UserError: a command failed; the others save and stop first.
    """
    left = {number: list(steps(run, folder / run.name).items()) for number, run in enumerate(runs)}
    waiting = list(left)
    try:
        while waiting or pool.running:
            while waiting and len(pool.running) < pool.slots:
                number = waiting.pop(0)
                pool.start(job(number, folder / runs[number].name, *left[number][0]))
            time.sleep(POLL)
            for ended in pool.ended():
                run, (step, _) = runs[ended.number], left[ended.number].pop(0)
                if ended.code:
                    raise UserError(f"{run.name}: {step} ended with status {ended.code}: {ended.said}")
                print(f"{run.name}: {step} ended after {duration(ended.seconds)}", flush=True)
                if left[ended.number]:
                    waiting.insert(0, ended.number)
                else:
                    yield run
    finally:
        pool.stop()
        pool.close()


def read_result(run: Run, folder: Path, threads: int, parallel: int) -> Result:
    """Return the result of a run whose commands have ended."""
    recipe = parse(DetectTrainConfig, ["--config", str(DETECTOR)])
    network = find_architecture(run.backbone).at(recipe.input_size)
    cost = detector_cost(Detector(network, CLASSES, recipe.last_map))
    lines = (folder / "scores" / OUTPUT).read_text(encoding="utf-8").splitlines()
    scores = json.loads([line for line in lines if line.startswith("{")][-1])  # an earlier attempt may have one
    classifier, detector = _epochs(folder / "classifier"), _epochs(folder / "detector")
    return Result(
        run,
        cost.macs,
        cost.parameters,
        top1=max(float(row[key]) for row in classifier for key in ("raw_top1", "ema_top1")),
        seconds=sum(float(row["seconds"]) for row in detector if row["seconds"]),
        threads=threads,
        parallel=parallel,
        scores={key: scores[key] for key in SCORES},
    )


def _epochs(run_dir: Path) -> list[dict[str, str]]:
    with open(run_dir / "metrics.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_results(path: Path) -> list[Result]:
    """Return the results that a file has, one a line."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    records = [json.loads(line) for line in lines]
    return [Result(**(record | {"run": Run(**record["run"])})) for record in records]


def write_results(path: Path, results: Sequence[Result]) -> None:
    """Replace the file of results."""
    write_text(path, "".join(json.dumps(asdict(result)) + "\n" for result in results))


def train_missing(runs: Sequence[Run], file: Path, folder: Path, parallel: int) -> None:
    """Run what has no line in the file of results, and add its lines; print the time left after each run."""
    results = read_results(file)
    known = {result.run for result in results}
    missing = [run for run in runs if run not in known]
    print(f"{len(runs)} runs, {len(runs) - len(missing)} of which have results", flush=True)
    began, threads = time.monotonic(), max(1, usable_cores() // parallel)
    for count, run in enumerate(finish(missing, folder, LocalPool([None] * parallel, threads)), 1):
        results.append(read_result(run, folder / run.name, threads, parallel))
        write_results(file, results)
        left = (time.monotonic() - began) / count * (len(missing) - count)
        print(f"{run.name}: AP {results[-1].scores['ap']:.2f} %; {duration(left)} left", flush=True)


def main() -> None:
    """Parse the command line, run what is missing, write results and report.

    Raises:
        UserError: a flag is wrong, or a command failed.
    """
    epochs = parse(DetectTrainConfig, ["--config", str(DETECTOR)]).epochs
    before = parse(TrainConfig, ["--config", str(CLASSIFIER)]).epochs
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbones", nargs="+", default=PAIR, help="names or architecture files; the first one leads")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--epochs", type=int, default=epochs, help=f"of the detectors; default {epochs}")
    parser.add_argument("--classifier_epochs", type=int, default=before, help=f"default {before}")
    parser.add_argument("--parallel", type=int, default=1, help="runs at a time, which share the cores")
    parser.add_argument("--run_dir", type=Path, default=Path("runs/detection_pair"), help="folder of the trainings")
    parser.add_argument("--output", type=Path, default=Path("runs/detection_pair"), help="for runs.jsonl and report.md")
    args = parser.parse_args()

    if args.parallel < 1:
        raise UserError(f"parallel is {args.parallel}; expected at least 1")
    for backbone in args.backbones:
        find_architecture(backbone)
    pairs = dict.fromkeys(product(args.backbones, args.seeds))
    runs = [Run(backbone, seed, args.epochs, args.classifier_epochs) for backbone, seed in pairs]
    page, file = args.output / "report.md", args.output / "runs.jsonl"
    check_replaceable(page, MARK.encode(), "is not a report of this benchmark")

    train_missing(runs, file, args.run_dir, args.parallel)
    done = {result.run: result for result in read_results(file)}
    command = join(["python", "benchmarks/detection_pair.py", *sys.argv[1:]])
    write_text(page, compare([done[run] for run in runs], command))
    print(page.read_text(encoding="utf-8"))


if __name__ == "__main__":
    try:
        main()
    except (UserError, OSError, KeyboardInterrupt) as error:
        sys.exit(report(error))

"""Measure what a study of 10,000 trials costs beside its trainings: time and memory of its driver, and its analysis.

    python benchmarks/study_scale.py [--trials 10000]

The trials are those of search.py twist, with everything that a real one has: a network's file, a run folder, a line of
results on the disk. Only the training takes no time: it writes metrics.csv and has ended. Ends with status 1 if the
driver takes more than 5 ms a trial or grows by more than 50 MB after its first 100 trials, if a resume of the finished
study takes more than 5 s, or if front, selection, correlation and fit take more than 5 s together.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from src.config import TwistConfig
from src.images.digits import write_digits
from src.search.analysis.correlation import spearman
from src.search.analysis.front import front_ranks
from src.search.methods.twist import ALL_BUDGETS, Twist
from src.search.study import run
from src.search.study.process import Ended, Job
from src.search.study.run import Study, run_study
from src.search.study.trial import Result, Rounds, Trial

MOST_MS, MOST_MB, MOST_SECONDS = 5, 50, 5
FIRST = 100  # trials after which memory is measured first


class InstantPool:
    """A place whose trainings have ended when they are looked at."""

    def __init__(self) -> None:
        self.slots = 8
        self.jobs: list[Job] = []
        self.count, self.memory = 0, 0.0
        self.training = 0.0  # seconds that the metrics took

    def start(self, job: Job) -> None:
        began = time.perf_counter()
        top1 = 50 + job.number * 7919 % 4001 / 100
        (job.run_dir / "metrics.csv").write_text(f"epoch,raw_top1,raw_loss\n1,{top1},{100 - top1}\n")
        self.jobs.append(job)
        self.count += 1
        if self.count == FIRST:
            self.memory = memory()
        self.training += time.perf_counter() - began

    def seconds(self, number: int) -> float:
        return 0.0

    def ended(self) -> list[Ended]:
        jobs, self.jobs = self.jobs, []
        return [Ended(job.number, 0, 1.0) for job in jobs]

    def kill(self, number: int) -> None:
        """Do nothing; no training runs."""

    def stop(self) -> None:
        """Do nothing; no training runs."""

    def close(self) -> None:
        """Do nothing; no training runs."""


class Drawn:
    """A method that has drawn its trials already."""

    def __init__(self, trials: list[Trial]) -> None:
        self.trials = trials

    def rounds(self) -> Rounds:
        yield self.trials

    def expected_trials(self) -> int:
        return len(self.trials)


def memory() -> float:
    """Return the resident memory of this process in MB."""
    return psutil.Process().memory_info().rss / 1e6


def report(what: str, value: float, most: float, unit: str) -> bool:
    """Print a measured number beside its limit, and return whether it is within."""
    print(f"{what:44} {value:8.2f} {unit:3} (limit {most})", flush=True)
    return value <= most


def analyze(method: Twist, results: Sequence[Result]) -> float:
    """Return the seconds that front, selection, correlations and fit take."""
    began = time.perf_counter()
    front_ranks([result.accuracy for result in results], [result.macs for result in results])
    method.formula(results)
    c = [float(result.trial.notes["c"]) for result in results]
    for key in "rdw":
        spearman(c, [float(result.trial.notes[key]) for result in results], seed=1)
    return time.perf_counter() - began


def main() -> int:
    """Print times and memory, and return 1 if one is above its limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=10_000)
    count = parser.parse_args().trials
    pool = InstantPool()
    run.open_pool = lambda *_: pool
    with tempfile.TemporaryDirectory() as folder:
        recipe = Path(folder) / "recipe.yaml"
        recipe.write_text("epochs: 1\nwarmup_epochs: 0\n")
        config = TwistConfig(
            study=Path(folder) / "study", data_path=str(write_digits()), recipe=recipe, trials=count, budget_trials=0
        )
        study = Study("twist", config)
        method = Twist(config, study.base, study.data.classes)
        began = time.perf_counter()
        drawn = Drawn(method.all_budgets())
        print(f"{os.cpu_count()} cores; {count} networks of {ALL_BUDGETS} drawn in {time.perf_counter() - began:.1f} s")
        began, computed = time.perf_counter(), time.process_time()
        with contextlib.redirect_stdout(io.StringIO()):
            results = run_study(study, drawn)
        seconds = time.perf_counter() - began - pool.training
        computed = time.process_time() - computed
        growth = memory() - pool.memory
        began = time.perf_counter()
        run_study(Study("twist", config), drawn)
        resume = time.perf_counter() - began
        print(f"driver, computing alone, per trial              {1000 * computed / count:8.2f} ms")
        checks = [
            report("driver, per trial", 1000 * seconds / count, MOST_MS, "ms"),
            report(f"memory, from trial {FIRST} to the last", growth, MOST_MB, "MB"),
            report("resume of the finished study", resume, MOST_SECONDS, "s"),
            report("front, selection, correlations, fit", analyze(method, results), MOST_SECONDS, "s"),
        ]
    return 0 if all(checks) else 1


if __name__ == "__main__":
    sys.exit(main())

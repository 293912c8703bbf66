"""What may happen to a run, done to real runs: the end must be the one of a run to which nothing happened, to the bit.

`pytest -m long tests/system/test_faults.py -s` kills 50 times and prints what came of it.
"""

import csv
import random
import shutil
import signal
import subprocess
import time
from collections import Counter

import pytest

from src.ckpt import read_ckpt
from src.training.checkpoint import newest_state

FLAGS = "--config config/digits.yaml --input_size 32 --check_data off --log_interval 4 --checkpoint_minutes 0.001"
FLAGS = [*FLAGS.split(), "--batch_size", "128", "--epochs", "2"]  # 11 steps an epoch
TIMING = {"images_per_second", "data_wait", "seconds"}  # what may differ between two runs
KILLS = 50
KINDS = ("saving", "training", "any time")


class Run:
    """A training in a folder of its own; each start of it goes on where the one before was ended."""

    def __init__(self, workspace, folder):
        self.workspace, self.folder = workspace, folder
        self.last, self.log = folder / "checkpoints/last.ckpt", folder.parent / f"{folder.name}.txt"

    def command(self, *flags):
        run = ["--run_dir", self.folder, "--resume", "auto"]
        return [str(word) for word in (self.workspace.folder / ".venv/bin/python", "train.py", *FLAGS, *run, *flags)]

    def start(self):
        """The running process, whose text goes to `log`."""
        with open(self.log, "w") as log:
            return subprocess.Popen(
                self.command(), cwd=self.workspace.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def finish(self):
        """Go on to the end of the run; the text."""
        return self.workspace.run(*self.command()).stderr

    def wait_for(self, process, happened):
        """Whether `happened()` came true before the process ended."""
        limit = time.monotonic() + 600
        while process.poll() is None:
            if happened():
                return True
            assert time.monotonic() < limit, self.log.read_text()
            time.sleep(0.002)
        return False

    def says(self, *words, times=1):
        return lambda: sum(self.log.read_text().count(word) for word in words) >= times

    def saves(self, times):
        """Whether the saving of a checkpoint is under way for the `times`-th time from now on."""
        seen = set(self.last.parent.glob(".*.ckpt-*"))

        before = len(seen)

        def happened():
            seen.update(self.last.parent.glob(".*.ckpt-*"))
            return len(seen) >= before + times

        return happened

    def copy(self, name):
        other = Run(self.workspace, self.folder.parent / name)
        shutil.copytree(self.folder, other.folder)
        return other

    def result(self):
        """Everything that must not depend on what happened on the way: bits of tensors, metrics, choice of the best."""
        files = {}
        for path in (self.last, self.last.with_name("best.ckpt")):
            tensors, meta = read_ckpt(path)
            rows = [{key: value for key, value in row.items() if key not in TIMING} for row in meta["rows"]]
            counters = {key: meta[key] for key in ("step", "better", "best", "top1", "config")}
            counters["config"] = {k: v for k, v in counters["config"].items() if k not in ("run_dir", "resume")}
            files[path.name] = {name: value.tobytes() for name, value in tensors.items()}, rows, counters
        with open(self.folder / "metrics.csv", newline="") as file:
            lines = [{key: value for key, value in row.items() if key not in TIMING} for row in csv.DictReader(file)]
        assert len(lines) == 2 and files["last.ckpt"][2]["step"] == 22
        return files | {"metrics.csv": lines}


def assert_same_end(run, reference):
    """Compare file by file, tensor by tensor, so that a failure is short."""
    one, other = run.result(), reference.result()
    assert one["metrics.csv"] == other["metrics.csv"]
    for name in ("last.ckpt", "best.ckpt"):
        (bits, *rest), (expected, *expected_rest) = one[name], other[name]
        assert bits.keys() == expected.keys() and len(bits) > 300
        assert [key for key in bits if bits[key] != expected[key]] == []
        assert rest == expected_rest


@pytest.fixture(scope="module")
def reference(workspace, tmp_path_factory):
    """A run to which nothing happens."""
    run = Run(workspace, tmp_path_factory.mktemp("faults") / "reference")
    began = time.monotonic()
    run.finish()
    run.seconds = time.monotonic() - began
    return run


@pytest.mark.long
def test_a_run_that_is_killed_again_and_again_ends_as_if_it_had_not_been(reference):
    rng = random.Random(20)
    steps, kills, runs = Counter(), [], 0
    while len(kills) < KILLS:
        run, first = Run(reference.workspace, reference.folder.parent / f"killed-{runs}"), len(kills)
        runs += 1
        while len(kills) < KILLS and killed(run, kind := KINDS[len(kills) % len(KINDS)], rng, reference.seconds):
            saved = newest_state(run.last)
            assert saved is None or saved[0] == run.last  # a kill never costs the last generation
            step = saved[2]["step"] if saved else 0
            steps[step] += 1
            left = len(list(run.last.parent.glob(".*.ckpt-*")))
            kills.append(kind)
            print(f"kill {len(kills)}, run {runs}, {kind}: {step} steps saved, {left} left over", flush=True)
        run.finish()
        assert_same_end(run, reference)
        print(f"run {runs}: equal to the reference after {len(kills) - first} kills", flush=True)
        shutil.rmtree(run.folder)
    print(f"{len(kills)} kills in {runs} runs, no bit of their ends differs: {dict(Counter(kills))}")
    print(f"steps in the newest checkpoint at a kill: {dict(sorted(steps.items()))}")


def killed(run, kind, rng, seconds):
    """Start the run and kill it at a moment of this kind, drawn from `rng`; False if it came to its end before."""
    process = run.start()
    if kind == "saving":
        run.wait_for(process, run.saves(times=rng.randint(1, 3)))
        delay = rng.choice([0, rng.uniform(0, 0.15)])  # a saving takes about that long
    elif kind == "training":
        run.wait_for(process, run.says("first step done"))
        delay = rng.uniform(0, seconds / 2)
    else:
        delay = rng.uniform(0, seconds)
    try:
        process.wait(delay)
    except subprocess.TimeoutExpired:
        process.kill()
    status = process.wait()
    assert status in (0, -signal.SIGKILL), run.log.read_text()
    return status != 0

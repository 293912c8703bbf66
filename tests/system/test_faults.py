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

import numpy as np
import pytest

from src.training.checkpoint import previous_generation, newest_checkpoint
from src.weights.ckpt import read_ckpt

FLAGS = "--config config/digits.yaml --input_size 32 --check_data off --batch_size 128 --epochs 2"
FLAGS = [*FLAGS.split(), "--log_interval", "4", "--checkpoint_minutes", "0.001"]  # 11 steps an epoch
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

    def says(self, words):
        return lambda: words in self.log.read_text()

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
        # a kill leaves half a file; going on removes it
        assert [path.name for path in self.folder.rglob(".*")] == [".lock"]
        return files | {"metrics.csv": lines}


def assert_same_end(run, reference):
    """Compare file by file, tensor by tensor, so that a failure is short."""
    one, other = run.result(), reference.result()
    assert one["metrics.csv"] == other["metrics.csv"]
    for name in ("last.ckpt", "best.ckpt"):
        (bits, *rest), (expected, *expected_rest) = one[name], other[name]
        assert bits.keys() == expected.keys() and len(bits) > 200
        assert [key for key in bits if bits[key] != expected[key]] == []
        assert rest == expected_rest


@pytest.fixture(scope="module")
def reference(small_workspace, tmp_path_factory):
    """A run to which nothing happens."""
    run = Run(small_workspace, tmp_path_factory.mktemp("faults") / "reference")
    began = time.monotonic()
    run.finish()
    run.seconds = time.monotonic() - began
    return run


@pytest.fixture(scope="module")
def stopped(small_workspace, tmp_path_factory):
    """A run that SIGTERM has ended in its first epoch; tests go on with copies."""
    run = Run(small_workspace, tmp_path_factory.mktemp("faults") / "stopped")
    process = run.start()
    assert run.wait_for(process, run.says("step 8/11"))
    process.terminate()
    assert process.wait() == 0, run.log.read_text()
    assert "stopped by SIGTERM after step" in run.log.read_text()
    assert 8 < read_ckpt(run.last)[1]["step"] < 22 and previous_generation(run.last).exists()
    return run


def test_signals_end_a_run_in_order_and_it_goes_on(stopped, reference):
    run = stopped.copy("signals")
    process = run.start()
    assert run.wait_for(process, run.says("epoch 2/2 step 5/11"))
    process.send_signal(signal.SIGINT)
    assert process.wait() == 130, run.log.read_text()
    text = run.log.read_text()
    assert text.splitlines()[-1] == "interrupted" and "Traceback" not in text
    assert f"resumed after step {read_ckpt(stopped.last)[1]['step']}" in text
    assert 16 < read_ckpt(run.last)[1]["step"] < 22
    run.finish()
    assert_same_end(run, reference)


def test_kills_and_a_damaged_checkpoint_change_no_bit_of_the_end(stopped, reference):
    run, rng = stopped.copy("killed"), random.Random(4)
    begun = read_ckpt(run.last)[1]["step"]
    assert killed(run, "saving", rng, reference.seconds)
    assert newest_checkpoint(run.last).path == run.last
    process = run.start()
    assert run.wait_for(process, run.says("epoch 2/2 step 5/11"))
    time.sleep(rng.uniform(0, 0.3))
    process.kill()
    assert process.wait() == -signal.SIGKILL
    path, _, meta = newest_checkpoint(run.last)
    assert path == run.last and meta["step"] >= begun
    before = read_ckpt(previous_generation(run.last))[1]["step"]
    damage(run.last)
    text = run.finish()
    assert f"{run.last} is damaged" in text and f"resuming from {previous_generation(run.last)}, which is whole" in text
    assert f"resumed after step {before}" in text
    assert_same_end(run, reference)


def test_two_damaged_checkpoints_are_refused(stopped):
    run = stopped.copy("damaged")
    damage(run.last)
    damage(previous_generation(run.last))
    run.workspace.fails(*run.command(), words=f"{run.last} is damaged: it is not what was written; take another copy; ")


def test_a_full_disk_ends_a_run_with_one_line_and_costs_nothing(stopped, reference):
    run = stopped.copy("full")
    before = {path.name: path.read_bytes() for path in run.last.parent.iterdir()}
    third = len(before["last.ckpt"]) // 3 // 1024
    limited = ["bash", "-c", f'ulimit -f {third}; exec "$@"', "bash", *run.command()]
    run.workspace.fails(*limited, words=f"cannot write {run.last}: ")
    assert {path.name: path.read_bytes() for path in run.last.parent.iterdir()} == before
    run.finish()
    assert_same_end(run, reference)


def test_a_change_is_refused_by_name(stopped, tmp_path):
    run = stopped.copy("changed")
    other = tmp_path / "digits"
    shutil.copytree(run.workspace.folder / "data/digits", other)
    next((other / "train/3_three").iterdir()).rename(other / "train/3_three/renamed.png")
    before = run.last.read_bytes()
    for flags, words in [
        (["--lr", "0.002"], "resume: lr was 0.003 and is 0.002 now; that changes the result"),
        (["--data_path", other], "resume: data was 1437 + 360 images "),
        (["--workers", "1"], "resume: workers was 2 and is 1 now"),
        (["--lr", "0.002", "--model", "tinynet_d", "--allow_changes"], "is of another run: model was tinynet_e"),
    ]:
        run.workspace.fails(*run.command(*flags), words=words)
    assert run.last.read_bytes() == before


def test_a_change_that_is_allowed_goes_on_and_a_loss_that_is_no_number_keeps_the_last_state(stopped):
    run = stopped.copy("diverged")
    flags = ["--allow_changes", "--lr", "1e20", "--clip_norm", "0", "--log_interval", "1"]
    done = run.workspace.fails(*run.command(*flags), status=3, words="at step ")
    assert f"resuming from {run.last} although lr was 0.003 and is 1e+20 now" in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert f"{run.last} was kept" in line
    path, tensors, meta = newest_checkpoint(run.last)
    assert path == run.last and all(np.isfinite(value).all() for value in tensors.values())
    assert meta["step"] >= read_ckpt(stopped.last)[1]["step"]


@pytest.mark.long
def test_a_run_that_is_killed_again_and_again_ends_as_if_it_had_not_been(reference):
    rng = random.Random(20)
    steps, kills, runs = Counter(), [], 0
    while len(kills) < KILLS:
        run, first = Run(reference.workspace, reference.folder.parent / f"killed-{runs}"), len(kills)
        runs += 1
        while len(kills) < KILLS and killed(run, kind := KINDS[len(kills) % len(KINDS)], rng, reference.seconds):
            saved = newest_checkpoint(run.last)
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


def damage(path):
    """Change one bit in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


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

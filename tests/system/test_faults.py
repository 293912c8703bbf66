"""Faults of real runs: signals, kills, damage, a full disk, another configuration.

A run that is disturbed must end as one that is not, to the bit.
`pytest -m long tests/system/test_faults.py -s` kills runs 50 times at random moments and prints what came of it.
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
from support.flags import overruled
from support.moment import at
from support.small_network import SMALL_FILE

from src.training.checkpoint import newest_checkpoint, previous_generation
from src.weights.ckpt import read_ckpt

FLAGS = f"--config config/digits.yaml --model {SMALL_FILE} --input_size 32 --check_data off --batch_size 20"
FLAGS = (*FLAGS.split(), "--log_interval", "2", "--checkpoint_minutes", "1e-9")  # 6 steps an epoch, 3 checkpoints
LEARNING = ("--lr", "0.01", "--ema_decay", "0.5", "--bn_momentum", "0.5")  # the second epoch scores higher
TIMING = {"images_per_second", "data_wait", "seconds"}  # columns that may differ between two equal runs
KILLS = 50
KINDS = ("saving", "training", "any time")


class Run:
    """A training of the small network in a folder of its own; each start of it resumes the run."""

    def __init__(self, workspace, data, folder):
        self.workspace, self.data, self.folder = workspace, data, folder
        self.last = folder / "checkpoints/last.ckpt"

    def flags(self, *more, epochs=2):
        place = ("--data_path", self.data, "--run_dir", self.folder, "--resume", "auto")
        return overruled((*FLAGS, *LEARNING, *place, "--epochs", epochs), *more)

    def command(self, **options):
        return ["python", "train.py", *self.flags(**options)]

    def finish(self, **options):
        """Resume the run until its end; the text."""
        return self.workspace.run(*self.command(**options)).stderr

    def interrupt(self, action, moment, status, **options):
        """Resume the run in a process to which `action` happens at `moment`; the text."""
        environment = at(moment, action)
        return self.workspace.run(*self.command(**options), environment=environment, status=status).stderr

    def copy(self, name):
        other = Run(self.workspace, self.data, self.folder.parent / name)
        shutil.copytree(self.folder, other.folder)
        return other

    def step(self):
        """The number of steps in the newest checkpoint."""
        return read_ckpt(self.last)[1]["step"]


def rows_of(rows):
    return [{key: value for key, value in row.items() if key not in TIMING} for row in rows]


def counters_of(meta):
    """Everything of a checkpoint's `meta` that must not depend on what happened on the way."""
    config = {key: value for key, value in meta["config"].items() if key not in ("run_dir", "resume", "epochs")}
    return {key: meta[key] for key in ("step", "better", "best", "top1")} | {"config": config}


def assert_same_end(run, reference):
    """Compare tensor by tensor, so that a failure is short."""
    for name in ("last.ckpt", "best.ckpt"):
        (found, meta), (expected, expected_meta) = (read_ckpt(r.last.with_name(name)) for r in (run, reference))
        assert found.keys() == expected.keys()
        assert [key for key in found if found[key].tobytes() != expected[key].tobytes()] == []
        assert rows_of(meta["rows"]) == rows_of(expected_meta["rows"])
        assert counters_of(meta) == counters_of(expected_meta)
    assert metrics_of(run) == metrics_of(reference)
    # a kill leaves a temporary file behind, which the next start removes
    assert [path.name for path in run.folder.rglob(".*")] == [".lock"]


def metrics_of(run):
    with open(run.folder / "metrics.csv", newline="") as file:
        return rows_of(csv.DictReader(file))


def damage(path):
    """Change one bit in the middle of a file, and of no other that shares its content."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.unlink()
    path.write_bytes(content)


@pytest.fixture(scope="module")
def start(workspace, few_digits, tmp_path_factory):
    """Return a function that makes a new run."""
    folder = tmp_path_factory.mktemp("faults")
    return lambda name: Run(workspace, few_digits, folder / name)


@pytest.fixture(scope="module")
def reference(start):
    """A run to which nothing happens."""
    run = start("reference")
    began = time.monotonic()
    run.finish()
    run.seconds = time.monotonic() - began  # only the long test uses it, to draw moments
    return run


# One run, to which one thing after another happens. Each test below looks at what one of them left.


@pytest.fixture(scope="module")
def stopped(start):
    """A run of one epoch that SIGTERM has ended; its text."""
    run = start("stopped")
    return run, run.interrupt("SIGTERM", "log epoch 1/1 step 4/6", status=0, epochs=1)


@pytest.fixture(scope="module")
def first_epoch(stopped):
    """That run, resumed to the end of its only epoch; its text."""
    run = stopped[0].copy("first epoch")
    return run, run.finish(epochs=1)


@pytest.fixture(scope="module")
def interrupted(first_epoch):
    """That run with a second epoch, in which SIGINT has ended it; its text."""
    run = first_epoch[0].copy("interrupted")
    return run, run.interrupt("SIGINT", "log epoch 2/2 step 2/6", status=130)


@pytest.fixture(scope="module")
def killed_while_saving(interrupted):
    """That run, killed when a new checkpoint was complete but had not yet taken its name."""
    run = interrupted[0].copy("killed while saving")
    run.interrupt("SIGKILL", "rename last.ckpt 1", status=-signal.SIGKILL)
    return run


@pytest.fixture(scope="module")
def killed_in_training(killed_while_saving):
    """That run, resumed and killed between two checkpoints."""
    run = killed_while_saving.copy("killed in training")
    run.interrupt("SIGKILL", "log epoch 2/2 step 6/6", status=-signal.SIGKILL)
    return run


@pytest.fixture(scope="module")
def finished(killed_in_training):
    """That run, whose newest checkpoint was damaged, resumed to its end; its text."""
    run = killed_in_training.copy("finished")
    damage(run.last)
    return run, run.finish()


def test_sigterm_ends_a_run_after_the_step_and_saves_it(stopped):
    run, text = stopped
    assert "stopped by SIGTERM after step 5" in text
    assert run.step() == 5


def test_a_run_that_was_stopped_is_resumed_after_its_step(first_epoch):
    run, text = first_epoch
    assert "resumed after step 5" in text
    assert run.step() == 6 and len(metrics_of(run)) == 1


def test_sigint_ends_a_run_with_status_130_and_no_trace(interrupted):
    run, text = interrupted
    assert text.splitlines()[-1] == "interrupted" and "Traceback" not in text
    assert "resumed after step 6" in text
    assert run.step() == 9


def test_a_kill_while_saving_costs_no_checkpoint(killed_while_saving):
    assert newest_checkpoint(killed_while_saving.last).path == killed_while_saving.last
    assert killed_while_saving.step() == 9
    assert list(killed_while_saving.last.parent.glob(".last.ckpt-*/last.ckpt"))


def test_a_kill_in_training_costs_the_steps_since_the_last_checkpoint(killed_in_training):
    assert killed_in_training.step() == 10
    assert read_ckpt(previous_generation(killed_in_training.last))[1]["step"] == 9


def test_a_damaged_checkpoint_is_replaced_by_the_one_before(finished):
    run, text = finished
    assert f"{run.last} is damaged" in text and f"resuming from {previous_generation(run.last)}, which is whole" in text
    assert "resumed after step 9" in text


def test_signals_kills_and_damage_change_no_bit_of_the_end(finished, reference):
    assert_same_end(finished[0], reference)


def test_the_reference_is_a_whole_run(reference):
    """All comparisons above rest on it, so it must hold something, and its epochs must differ."""
    tensors, meta = read_ckpt(reference.last)
    assert meta["step"] == 12
    assert {name.partition(".")[0] for name in tensors} >= {"blocks", "ema", "optimizer"}
    first, second = metrics_of(reference)
    assert first["ema_top1"] < second["ema_top1"] and first["raw_top1"] < second["raw_top1"]


def test_two_damaged_checkpoints_are_refused(killed_in_training, refused):
    run = killed_in_training.copy("damaged")
    damage(run.last)
    damage(previous_generation(run.last))
    words = f"{run.last} is damaged: its checksum differs; take another copy; "
    refused("train.py", *run.flags(), cwd=run.workspace.folder, words=words)


def test_a_full_disk_ends_a_run_with_one_line_and_changes_no_file(stopped):
    run = stopped[0].copy("full")
    before = {path.name: path.read_bytes() for path in run.last.parent.iterdir()}
    third = len(before["last.ckpt"]) // 3 // 1024
    limited = ["bash", "-c", f'ulimit -f {third}; exec "$@"', "bash", *run.command()]
    run.workspace.fails(*limited, words=f"cannot write {run.last}: ")
    assert {path.name: path.read_bytes() for path in run.last.parent.iterdir()} == before


def test_a_folder_that_holds_a_run_is_not_overwritten(stopped, refused):
    run = stopped[0].copy("not overwritten")
    before = run.last.read_bytes()
    flags = [word for word in run.flags() if word not in ("--resume", "auto")]
    words = "already holds a run; resume it with --resume auto"
    refused("train.py", *flags, cwd=run.workspace.folder, words=words)
    assert run.last.read_bytes() == before


@pytest.fixture
def other_digits(few_digits, tmp_path):
    """The same data but for the name of one image."""
    folder = tmp_path / "digits"
    shutil.copytree(few_digits, folder)
    next((folder / "train/3_three").iterdir()).rename(folder / "train/3_three/renamed.png")
    return folder


@pytest.mark.parametrize(
    "flags, words",
    [
        ("--lr 0.002", "resume: lr was 0.01 and is 0.002 now; that changes the result"),
        ("--batch_size 10", "resume: batch_size was 20 and is 10 now"),
        ("--input_size 40", "resume: preprocess was "),
        ("--data_path {other_digits}", "resume: data was 120 + 40 images "),
        ("--workers 1", "resume: workers was "),
        ("--lr 0.002 --model tinynet_d --allow_changes", "is of another run: model was small"),
    ],
)
def test_a_change_is_refused_by_name(stopped, other_digits, refused, flags, words):
    run = stopped[0].copy(f"changed {flags.split()[0]} {len(flags)}")
    before = run.last.read_bytes()
    changed = [word.format(other_digits=other_digits) for word in flags.split()]
    refused("train.py", *run.flags(*changed), cwd=run.workspace.folder, words=words)
    assert run.last.read_bytes() == before


def test_an_allowed_change_is_logged_and_a_loss_that_is_no_number_keeps_the_last_state(stopped, refused):
    run = stopped[0].copy("diverged")
    flags = ("--allow_changes", "--lr", "1e20", "--clip_norm", "0", "--log_interval", "1")
    done = refused("train.py", *run.flags(*flags), cwd=run.workspace.folder, status=3, words=f"{run.last} was kept")
    assert f"resuming from {run.last} although lr was 0.01 and is 1e+20 now" in done.stderr
    newest = newest_checkpoint(run.last)
    assert newest.path == run.last
    assert all(np.isfinite(value).all() for value in newest.tensors.values())


@pytest.mark.long
def test_a_run_that_is_killed_again_and_again_ends_as_if_it_had_not_been(start, reference):
    rng = random.Random(20)
    steps, kills, runs = Counter(), [], 0
    while len(kills) < KILLS:
        run, first = start(f"killed-{runs}"), len(kills)
        runs += 1
        while len(kills) < KILLS and killed(run, kind := KINDS[len(kills) % len(KINDS)], rng, reference.seconds):
            saved = newest_checkpoint(run.last)
            assert saved is None or saved.path == run.last  # a kill never costs the last generation
            step = saved.meta["step"] if saved else 0
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
    """Resume the run and kill it at a moment of this kind, drawn from `rng`; False if it came to its end before."""
    log = run.folder.parent / f"{run.folder.name}.txt"
    with open(log, "w") as output:
        process = run.workspace.start(*run.command(), stdout=output, stderr=output)
    if kind == "saving":
        count = rng.randint(1, 3)
        wait_for(process, lambda: len(list(run.last.parent.glob(".*.ckpt-*"))) >= 1 and rng.random() < 1 / count)
        delay = rng.choice([0, rng.uniform(0, 0.02)])  # a checkpoint is written in about that time
    elif kind == "training":
        wait_for(process, lambda: "first step done" in log.read_text())
        delay = rng.uniform(0, seconds / 4)
    else:
        delay = rng.uniform(0, seconds)
    try:
        process.wait(delay)
    except subprocess.TimeoutExpired:
        process.kill()
    status = process.wait()
    assert status in (0, -signal.SIGKILL), log.read_text()
    return status != 0


def wait_for(process, happened):
    while process.poll() is None and not happened():
        time.sleep(0.002)

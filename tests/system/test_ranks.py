"""Real ranks of msrun: that they compute what one process would, and that a training on them stops and goes on."""

import csv
import os
import shutil
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import pytest
from support import ranks_program
from support.project import PROJECT, SUPPORT
from support.small_training import assert_same

from src.weights.ckpt import read_ckpt

CHEAP = ("--input_size", 64, "--batch_size", 32, "--epochs", 1)
CHEAP = (*CHEAP, "--check_data", "off", "--log_interval", 4)
EXACT = ("--drop_path", 0.2)  # random in training, thus part of what must go on as it was
SECONDS = 900


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What 2 and 3 ranks have found out, by number of ranks and name."""
    names = {2: ("states", "plain", "accumulated", "shards", "metrics"), 3: ("shards", "metrics")}
    results = {}
    for ranks, wanted in names.items():
        folder = tmp_path_factory.mktemp(f"ranks {ranks}")
        program = [SUPPORT / "start_ranks.py", ranks, folder / "logs", SUPPORT / "ranks_program.py", folder, *wanted]
        paths = os.environ | {"PYTHONPATH": f"{PROJECT}{os.pathsep}{PROJECT / 'tests'}"}
        subprocess.run([sys.executable, *map(str, program)], env=paths, check=True, timeout=SECONDS)
        for name in wanted:
            results[ranks, name] = dict(np.load(folder / f"{name}.npz"))
    return results


def test_all_ranks_start_from_the_state_of_the_first(found):
    states = found[2, "states"]
    assert (states["before"][0] != states["before"][1]).all()
    for shared in states["shared"]:
        np.testing.assert_array_equal(shared, states["before"][0])


def test_all_ranks_hold_the_same_bits_after_different_images(found):
    states = found[2, "states"]
    np.testing.assert_array_equal(states["trained"][0], states["trained"][1])
    assert (states["trained"][0] != states["shared"][0]).mean() > 0.9


@pytest.mark.parametrize("name", ranks_program.DIVISIBLE)
def test_two_ranks_compute_what_one_does_with_the_whole_batch(found, name):
    alone, together = ranks_program.divided(name), found[2, name]
    assert np.ptp(alone["losses"]) > 1e-3
    assert_same(alone, together, atol=1e-5, rtol=0)


def test_shards_are_disjoint_equally_long_and_cover_the_steps_of_one_process(found):
    for ranks in (2, 3):
        order = found[ranks, "shards"]["order"]
        assert order.shape == (ranks, 1000 // (16 * ranks) * 16)
        assert len(np.unique(order)) == order.size
    alone = ranks_program.epoch_order(1000, 32, epoch=2, seed=5)
    steps = found[2, "shards"]["order"].reshape(2, -1, 16).transpose(1, 0, 2)
    np.testing.assert_array_equal(steps.ravel(), alone)


def test_metrics_do_not_depend_on_ranks_or_batch_size(found):
    """The loss only to float32: the sum within a convolution is rounded differently from batch to batch."""
    results = [ranks_program.metrics(), found[2, "metrics"], found[3, "metrics"]]
    rows = np.array([rows[str(count)] for rows in results for count in ranks_program.BATCH_SIZES])
    assert (rows[:, :3] == rows[0, :3]).all() and rows[0, 0] == 360 and 0 < rows[0, 1] < rows[0, 2]
    np.testing.assert_allclose(rows[:, 3], rows[0, 3], rtol=1e-6)


class Training:
    """`run_distribute_train.sh` on two ranks, in a folder with a space in its name."""

    def __init__(self, project: Path, run: Path, *flags, resume: str = ""):
        self.run, self.text = run, ""
        script = project / "scripts" / "run_distribute_train.sh"
        words = ["bash", script, 2, "digits", "", resume, "--run_dir", run.name, *CHEAP, *flags]
        run.parent.mkdir(exist_ok=True)
        self.process = subprocess.Popen(
            [str(word) for word in words],
            cwd=run.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_for(self, words: str) -> None:
        for line in self.process.stdout:
            self.text += line
            if words in line:
                return
        raise AssertionError(f"{words!r} is not in {self.text}{self.process.stderr.read()}")

    def ended(self, status: int) -> str:
        """What was said on stderr."""
        out, err = self.process.communicate(timeout=SECONDS)
        self.text += out
        assert self.process.returncode == status, self.text + err
        marked = [p for p in psutil.process_iter(["cmdline", "status"]) if self.run.name in (p.info["cmdline"] or [])]
        assert not [p for p in marked if p.info["status"] != psutil.STATUS_ZOMBIE]
        return err

    def rank(self, number: int) -> psutil.Process:
        for process in psutil.process_iter(["cmdline", "environ"]):
            environment = process.info["environ"] or {}
            is_worker = environment.get("MS_ROLE") == "MS_WORKER" and environment.get("RANK_ID") == str(number)
            if is_worker and self.run.name in process.info["cmdline"]:
                return process
        raise AssertionError(f"no rank {number}")


@pytest.fixture(scope="module")
def train(small_workspace):
    """Starts a training."""
    return partial(Training, small_workspace.folder)


@pytest.fixture(scope="module")
def stopped_twice(train, tmp_path_factory):
    """The folder of a run that was stopped and went on twice, the texts of its parts, copies of what each saved."""
    run = tmp_path_factory.mktemp("run") / "my folder" / "stopped run"
    texts, saved = [], []
    for number, status in {signal.SIGTERM: 0, signal.SIGINT: 130}.items():
        training = train(run, *EXACT, resume="auto")
        training.wait_for("first step done")
        training.process.send_signal(number)
        assert training.ended(status) == ""
        texts.append(training.text)
        saved.append(read_ckpt(run / "checkpoints" / "last.ckpt")[1])
    yield run, texts, saved
    shutil.rmtree(run)


def test_a_stopped_training_ends_as_one_that_was_not(train, stopped_twice, tmp_path):
    run, texts, saved = stopped_twice
    assert [meta["step"] for meta in saved] == [4, 8] and all("stopped by SIGTERM" in text for text in texts)
    assert train(run, *EXACT, resume="auto").ended(0) == ""
    whole = train(tmp_path / "whole run", *EXACT)
    assert whole.ended(0) == ""
    (one, meta), (other, _) = (read_ckpt(r / "checkpoints" / "last.ckpt") for r in (run, tmp_path / "whole run"))
    assert meta["step"] == 22
    assert_same(one, other)
    assert "[INFO]" not in whole.text and whole.text.count("epoch 1/1,") == 1
    _only_the_first_rank_writes(tmp_path / "whole run")


def _only_the_first_rank_writes(run: Path) -> None:
    """One of each file; nothing of epochs in the log of the second."""
    names = {path.name for path in run.rglob("*") if path.is_file()}
    assert {"last.ckpt", "best.ckpt", "train.log", "metrics.csv", "config.yaml", "environment.txt"} < names
    assert (run / "train.log").read_text().count("compiled, first step done") == 1
    with open(run / "metrics.csv") as file:
        assert len(list(csv.DictReader(file))) == 1
    first, second = (next(run.glob(f"logs/*/worker_{rank}.log")).read_text() for rank in (0, 1))
    assert "epoch 1/1" in first and "epoch" not in second


def test_another_number_of_ranks_is_refused_by_name(small_workspace, stopped_twice):
    run, _, _ = stopped_twice
    project = small_workspace.folder
    flags = ("--config", project / "config/digits.yaml", "--run_dir", run, "--resume", "auto", *CHEAP, *EXACT)
    command = [sys.executable, project / "train.py", *flags, "--workers", 1]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 2 and "ranks was 2 and is 1 now" in done.stderr


@pytest.mark.long
def test_a_killed_rank_ends_all(train, tmp_path):
    training = train(tmp_path / "killed run")
    training.wait_for("training  ")
    training.rank(1).kill()
    err = training.ended(1)
    assert "error: rank 1 was killed by signal 9" in err and "worker_1.log" in err


@pytest.mark.long
@pytest.mark.parametrize(
    "flags, status, words",
    [
        (("--batch_size", 5000), 2, "batch_size is 5000 on each of 2 devices"),
        (("--lr", 1e30, "--warmup_epochs", 0), 3, "at step "),
    ],
)
def test_what_all_ranks_complain_of_is_one_line(train, tmp_path, flags, status, words):
    err = train(tmp_path / "bad run", *flags).ended(status)
    assert err.startswith("error: ") and words in err and err.count("\n") == 1

"""Real ranks of msrun: they compute what one process computes, and a training on them stops and resumes."""

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
from support.detection import TORCHVISION, dense
from support.moment import at
from support.project import PROJECT, SUPPORT
from support.small_network import ONE_BLOCK_FILE
from support.small_training import assert_same

from src.weights.ckpt import read_ckpt

CHEAP = ("--model", ONE_BLOCK_FILE, "--input_size", 32, "--batch_size", 5, "--epochs", 1)  # 12 steps on two ranks
CHEAP = (*CHEAP, "--check_data", "off", "--log_interval", 4)
EXACT = ("--drop_path", 0.2)  # random in training, thus part of what a resumed run must repeat
GUARD = 1800  # seconds after which a job is taken to hang


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Results of 2 and 3 ranks, by number of ranks and name: one job for each number."""
    names = {2: ("states", "plain", "accumulated", "shards", "metrics", "detection", "objects")}
    names[3] = ("shards", "metrics", "objects")
    results = {}
    for ranks, wanted in names.items():
        folder = tmp_path_factory.mktemp(f"ranks {ranks}")
        program = [SUPPORT / "start_ranks.py", ranks, folder / "logs", SUPPORT / "ranks_program.py", folder, *wanted]
        paths = os.environ | {"PYTHONPATH": f"{PROJECT}{os.pathsep}{PROJECT / 'tests'}"}
        subprocess.run([sys.executable, *map(str, program)], env=paths, check=True, timeout=GUARD)
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


@pytest.fixture(scope="module")
def evaluations(found):
    """The metrics of one, two and three ranks."""
    return [ranks_program.metrics(), found[2, "metrics"], found[3, "metrics"]]


def test_the_scores_of_each_image_do_not_depend_on_ranks_or_batch_size(evaluations):
    losses = np.array([rows[f"losses {count}"] for rows in evaluations for count in ranks_program.BATCH_SIZES])
    assert losses.shape == (6, 360) and np.abs(np.diff(losses[0])).mean() > 1e-3  # the next image has another
    np.testing.assert_allclose(losses, np.broadcast_to(losses[0], losses.shape), rtol=1e-5)


def test_metrics_do_not_depend_on_ranks_or_batch_size(evaluations):
    """The loss only to float32: the sum within a convolution is rounded differently from batch to batch."""
    rows = np.array([rows[str(count)] for rows in evaluations for count in ranks_program.BATCH_SIZES])
    assert (rows[:, :3] == rows[0, :3]).all() and rows[0, 0] == 360 and 0 < rows[0, 1] < rows[0, 2]
    np.testing.assert_allclose(rows[:, 3], rows[0, 3], rtol=1e-6)


def test_the_loss_of_a_detector_counts_the_objects_of_all_ranks(found):
    """Two images have one and three objects, two have six and none."""
    assert found[2, "detection"]["loss"] == pytest.approx(float(TORCHVISION["lb"] + TORCHVISION["lc"]), rel=1e-5)
    np.testing.assert_allclose(found[2, "detection"]["gradient"], dense("gl"), atol=1e-6)


def test_the_objects_of_a_data_set_do_not_depend_on_ranks(found):
    alone = ranks_program.objects()
    assert len(alone["table"]) > 5
    for ranks in (2, 3):
        np.testing.assert_array_equal(found[ranks, "objects"]["table"], alone["table"])
        np.testing.assert_array_equal(found[ranks, "objects"]["scores"], alone["scores"])


class Training:
    """`run_distribute_train.sh` on two ranks, in a folder with a space in its name."""

    def __init__(self, project: Path, data: Path, run: Path, *flags, resume: str = "", environment=os.environ):
        self.run, self.text = run, ""
        script = project / "scripts" / "run_distribute_train.sh"
        words = ["bash", script, 2, data, project / "config/digits.yaml", resume, "--run_dir", run.name, *CHEAP, *flags]
        run.parent.mkdir(exist_ok=True)
        self.process = subprocess.Popen(
            [str(word) for word in words],
            cwd=run.parent,
            env=environment,
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
        """Wait for the end, check the exit status and that no process is left, and return what stderr got."""
        out, err = self.process.communicate(timeout=GUARD)
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
def train(workspace, few_digits):
    """Starts a training."""
    return partial(Training, workspace.folder, few_digits)


@pytest.fixture(scope="module")
def stopped(train, tmp_path_factory):
    """A training that SIGINT has ended; the first rank stands still after its first step until the signal comes."""
    run = tmp_path_factory.mktemp("run") / "my folder" / "stopped run"
    training = train(run, *EXACT, environment=at("log first step done", "wait"))
    training.wait_for("first step done")
    training.process.send_signal(signal.SIGINT)
    assert training.ended(130) == ""
    return training


@pytest.fixture(scope="module")
def resumed(train, stopped):
    """That training, resumed to its end in a copy of its folder."""
    run = stopped.run.with_name("resumed run")
    shutil.copytree(stopped.run, run)
    training = train(run, *EXACT, resume="auto")
    assert training.ended(0) == ""
    return training


@pytest.fixture(scope="module")
def whole(train, tmp_path_factory):
    """The same training, without an interruption."""
    training = train(tmp_path_factory.mktemp("run") / "whole run", *EXACT)
    assert training.ended(0) == ""
    return training


def last_checkpoint(training):
    return read_ckpt(training.run / "checkpoints" / "last.ckpt")


def test_a_signal_stops_all_ranks_after_the_same_step_and_saves_it(stopped):
    assert "stopped by SIGTERM after step 4" in stopped.text  # the launcher passes SIGINT on as SIGTERM
    assert last_checkpoint(stopped)[1]["step"] == 4


def test_a_resumed_training_ends_as_one_that_was_not_stopped(resumed, whole):
    (found, meta), (expected, _) = last_checkpoint(resumed), last_checkpoint(whole)
    assert meta["step"] == 12
    assert_same(found, expected)


def test_the_terminal_shows_the_log_of_the_first_rank_alone(whole):
    assert "[INFO]" not in whole.text and whole.text.count("epoch 1/1,") == 1


def test_only_the_first_rank_writes_results(whole):
    names = {path.name for path in whole.run.rglob("*") if path.is_file()}
    assert {"last.ckpt", "best.ckpt", "train.log", "metrics.csv", "config.yaml", "environment.txt"} < names
    assert (whole.run / "train.log").read_text().count("compiled, first step done") == 1
    with open(whole.run / "metrics.csv") as file:
        assert len(list(csv.DictReader(file))) == 1


def test_each_rank_has_a_log_and_only_the_first_reports_epochs(whole):
    first, second = (next(whole.run.glob(f"logs/*/worker_{rank}.log")).read_text() for rank in (0, 1))
    assert "epoch 1/1" in first and "epoch" not in second


def test_another_number_of_ranks_is_refused_by_name(refused, few_digits, stopped):
    flags = ("--config", PROJECT / "config/digits.yaml", "--data_path", few_digits, *CHEAP, *EXACT)
    flags = (*flags, "--run_dir", stopped.run, "--resume", "auto", "--workers", 1)
    refused("train.py", *flags, words="ranks was 2 and is 1 now")


@pytest.mark.long
def test_a_killed_rank_ends_all(train, tmp_path):
    training = train(tmp_path / "killed run", environment=at("log first step done", "wait"))
    training.wait_for("first step done")
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

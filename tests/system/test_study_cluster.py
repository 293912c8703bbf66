"""A study on a Ray cluster of two nodes on this machine, with pretended NPUs. The trainings take no time."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from support.project import PROJECT
from support.study_program import FLAGS, Program, assert_gone, fake_project, records

from src.launch.plan import free_port
from src.search.study.records import read_results

pytestmark = pytest.mark.long
RAY = str(Path(sys.executable).with_name("ray"))


@contextmanager
def node(*flags, path=str(PROJECT)):
    """Start a node, wait until it can run trials, and end it with the block."""
    command = [RAY, "start", "--block", "--disable-usage-stats", "--object-store-memory=80000000", *flags]
    environment = os.environ | {"PYTHONPATH": path}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not (found := [p for p in psutil.Process(process.pid).children(recursive=True) if p.name() == "raylet"]):
            assert process.poll() is None
            time.sleep(0.1)
        time.sleep(3)  # it is not yet known to the head
        yield found[0]
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def cluster():
    """The address of a cluster of one node with two pretended NPUs, to which tests add others."""
    port = free_port()
    with node("--head", f"--port={port}", "--include-dashboard=false", "--num-cpus=2", '--resources={"NPU": 2}'):
        yield f"127.0.0.1:{port}"


@pytest.fixture
def folder(tmp_path, few_digits):
    fake_project(tmp_path)
    (tmp_path / "recipe.yaml").write_text("epochs: 1\nwarmup_epochs: 0\n")
    (tmp_path / "data").symlink_to(few_digits)
    return tmp_path


def flags(cluster, name="my study"):
    return "twist", *FLAGS, "--data_path", "data", "--study", name, *(("--ray_address", cluster) if cluster else ())


def plan(folder, actions):
    (folder / "plan.json").write_text(json.dumps(actions))


def second_node(cluster):
    return node(f"--address={cluster}", "--num-cpus=1", '--resources={"NPU": 1}')


def test_a_cluster_records_what_one_machine_records(cluster, folder):
    assert Program(folder, flags(None, "local")).end()[0] == 0
    status, out, err = Program(folder, flags(cluster)).end()
    assert (status, err) == (0, "") and "round 1: 3 trials" in out
    assert records(folder / "my study") == records(folder / "local")
    for result in read_results(folder / "my study"):
        assert result.device in ("npu 0", "npu 1")
        device = (folder / "my study" / result.run_dir / "device").read_text()
        assert f"npu {device}" == result.device  # train.py sees this one alone, as number 0


def test_the_trials_of_a_lost_node_run_again(cluster, folder):
    plan(folder, {"1": ["hang", "done"], "2": ["hang", "done"], "3": ["hang", "done"]})
    with second_node(cluster) as raylet:
        program = Program(folder, flags(cluster))
        trainings = program.trainings(3)
        lost = [training for training in trainings if raylet in training.parents()]
        raylet.kill()
        assert len(lost) == 1
        assert_gone(lost)
        for training in set(trainings) - set(lost):
            training.kill()
        assert program.end()[0] == 0
    assert [(result.status, result.attempts) for result in read_results(folder / "my study")] == [("done", 2)] * 3


def test_a_crash_is_not_a_lost_node(cluster, folder):
    plan(folder, {"1": ["exit 1"], "2": ["signal SIGKILL", "done"], "3": ["hang"]})
    assert Program(folder, (*flags(cluster), "--trial_minutes", 0.05)).end()[0] == 0
    results = read_results(folder / "my study")
    assert [(result.status, result.attempts) for result in results] == [("failed", 2), ("done", 2), ("timeout", 2)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_no_training_outlives_a_study(number, cluster, folder):
    plan(folder, {"1": ["hang"], "2": ["hang"]})
    program = Program(folder, flags(cluster))
    trainings = program.trainings(2)
    program.process.send_signal(number)
    status, out, _ = program.end()
    assert status == {signal.SIGINT: 130, signal.SIGKILL: -9}[number], out
    assert_gone(trainings)
    (folder / "plan.json").unlink()
    assert Program(folder, flags(cluster)).end()[0] == 0
    assert len(read_results(folder / "my study")) == 3


def test_a_node_without_the_project_ends_the_study_with_one_line(folder):
    port = free_port()
    with node("--head", f"--port={port}", "--include-dashboard=false", "--num-cpus=2", path=""):
        status, _, err = Program(folder, flags(f"127.0.0.1:{port}")).end()
    assert status == 2 and err.count("\n") == 1 and "cannot import this project: ModuleNotFoundError" in err


def test_a_cluster_without_room_is_one_line(cluster, folder):
    status, _, err = Program(folder, (*flags(cluster), "--threads", 100)).end()
    assert status == 2 and err.endswith(": no machine has room for a trial of 100 threads\n")

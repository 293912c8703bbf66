"""A job becomes an `msrun` command and an environment for its workers."""

import os
import sys
from pathlib import Path

import pytest

from src.errors import UserError
from src.launch import job as job_module
from src.launch.job import Job, environment, interpreter, msrun_command

JOB = Job(2, 4, 2, 1, "10.0.0.1", 8118, "4,5", Path("/a table.json"))


def test_the_ranks_of_a_machine_follow_those_of_the_machines_before_it():
    assert list(JOB.ranks) == [2, 3]


def test_the_command_names_ranks_and_master():
    command = msrun_command(JOB, ["train.py", "--epochs", "1"], Path("my logs"))
    assert command[:3] == [sys.executable, "-m", "mindspore.parallel.cluster.run"]
    assert {"--worker_num=4", "--local_worker_num=2", "--node_rank=1", "--log_dir=my logs"} < set(command)
    assert {"--master_addr=10.0.0.1", "--master_port=8118", "--rank_table_file=/a table.json"} < set(command)
    assert command[-4:] == [interpreter(), "train.py", "--epochs", "1"]


def test_workers_on_npus_get_their_devices_and_all_threads(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    made = environment(JOB)
    assert made["ASCEND_RT_VISIBLE_DEVICES"] == "4,5"
    assert made["LOCAL_WORLD_SIZE"] == "2"
    assert "OMP_NUM_THREADS" not in made


def test_msrun_finds_this_python_first():
    assert environment(JOB)["PATH"].startswith(str(Path(sys.executable).parent) + os.pathsep)


@pytest.mark.parametrize("workers, threads", [(1, "8"), (2, "4"), (3, "2"), (16, "1")])
def test_workers_on_the_cpu_share_its_cores(monkeypatch, workers, threads):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(job_module, "usable_cores", lambda: 8)
    assert environment(Job(workers, workers))["OMP_NUM_THREADS"] == threads


def test_a_number_of_threads_that_the_user_set_is_kept(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert environment(Job(2, 2))["OMP_NUM_THREADS"] == "3"


def test_an_interpreter_that_msrun_cannot_find_is_a_mistake(tmp_path):
    (tmp_path / "python3.11").touch()
    with pytest.raises(UserError, match="neither is .*python3.11"):
        interpreter(str(tmp_path / "python3.11"))


def test_the_interpreter_is_found_under_the_name_that_is_the_same_file(tmp_path):
    (tmp_path / "python3.11").touch()
    (tmp_path / "python").touch()  # another Python
    (tmp_path / "python3").symlink_to("python3.11")
    assert interpreter(str(tmp_path / "python3.11")) == "python3"

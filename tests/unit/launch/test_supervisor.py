import contextlib
import os
import shlex
import signal
import sys
from pathlib import Path

import psutil
import pytest

from src.errors import UserError
from src.launch import supervisor as msrun
from src.launch.supervisor import Job, Launch, environment, interpreter, msrun_command
from src.launch.worker_log import Log

JOB = Job(2, 4, 2, 1, "10.0.0.1", 8118, "4,5", Path("/a table.json"))


def test_the_command_names_ranks_and_master():
    command = msrun_command(JOB, ["train.py", "--epochs", "1"], Path("my logs"))
    assert command[:3] == [sys.executable, "-m", "mindspore.parallel.cluster.run"]
    assert {"--worker_num=4", "--local_worker_num=2", "--node_rank=1", "--log_dir=my logs"} < set(command)
    assert {"--master_addr=10.0.0.1", "--master_port=8118", "--rank_table_file=/a table.json"} < set(command)
    assert command[-4:] == [interpreter(), "train.py", "--epochs", "1"]


def test_workers_on_npus_get_their_devices_and_all_threads(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    made = environment(JOB)
    assert made["ASCEND_RT_VISIBLE_DEVICES"] == "4,5" and made["LOCAL_WORLD_SIZE"] == "2"
    assert "OMP_NUM_THREADS" not in made and made["PATH"].startswith(str(Path(sys.executable).parent) + os.pathsep)


def test_workers_on_the_cpu_share_its_cores(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(msrun, "usable_cores", lambda: 8)
    assert [environment(Job(n, n))["OMP_NUM_THREADS"] for n in (1, 2, 3, 16)] == ["8", "4", "2", "1"]
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert environment(Job(2, 2))["OMP_NUM_THREADS"] == "3"


def test_the_interpreter_needs_a_name_that_msrun_looks_up(tmp_path):
    (tmp_path / "python3.11").touch()
    with pytest.raises(UserError, match="neither is .*python3.11"):
        interpreter(str(tmp_path / "python3.11"))
    (tmp_path / "python").touch()  # another one
    (tmp_path / "python3").symlink_to("python3.11")
    assert interpreter(str(tmp_path / "python3.11")) == "python3"


def test_a_log_is_read_line_by_line_as_it_grows(tmp_path):
    log = Log(tmp_path / "log")
    assert log.new_lines() == log.tail() == []
    with open(log.path, "wb", buffering=0) as file:
        file.write(b"one\ntw")
        assert log.new_lines() == ["one"] and log.new_lines() == []
        file.write(b"o\n[WARNING] ME(12:34,MainProcess):2026 chatter\n[ERROR] \xff\nend")
        assert log.new_lines() == ["two", "[WARNING] ME(12:34,MainProcess):2026 chatter", "[ERROR] \ufffd"]
    assert log.tail(3) == ["two", "[ERROR] \ufffd", "end"]


def test_what_ended_on_another_machine_is_named(tmp_path):
    launched = Launch(Job(2, 4, 2, 1), ["x.py"], tmp_path)
    assert launched._lost_elsewhere(-signal.SIGTERM) == "another machine's rank has ended"
    line = "[ERROR] DISTRIBUTED(1,7f,python):2026-01-01 [a.cc:1] f] The node: {} is timed out. It may exit\n"
    (tmp_path / "scheduler.log").write_text(line.format(3) + line.format(1))
    assert launched._lost_elsewhere(-signal.SIGTERM) == "rank 1, on another machine, has ended"
    assert launched._lost_elsewhere(-signal.SIGKILL) is None and launched._lost_elsewhere(1) is None
    assert Launch(Job(2, 2), ["x.py"], tmp_path)._lost_elsewhere(-signal.SIGTERM) is None


def test_nothing_is_left_of_an_msrun_that_dies_before_it_was_looked_at(tmp_path, monkeypatch):
    """A rank in a session of its own, as msrun starts it, and a child of that rank in another."""
    numbers = [tmp_path / "rank", tmp_path / "child"]
    rank = f"setsid sleep 300 & echo $! >'{numbers[1]}'; wait"
    script = f"MS_ROLE=MS_WORKER RANK_ID=0 setsid sh -c {shlex.quote(rank)} & echo $! >'{numbers[0]}'"
    script += f"; until [ -s '{numbers[1]}' ]; do :; done; kill -9 $$"
    monkeypatch.setattr(msrun, "msrun_command", lambda *_: ["sh", "-c", script])
    monkeypatch.setattr(msrun, "LOOK_EVERY", 1)
    assert Launch(Job(1, 1), ["x.py"], tmp_path / "logs").run() == 1
    left = [process for number in numbers for process in _running(int(number.read_text()))]
    for process in left:
        process.kill()
    assert not left


def _running(number):
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(number)
        return [process] if process.status() != psutil.STATUS_ZOMBIE else []
    return []

"""How a job of several processes ends, and that no process is left: real msrun with toy ranks without MindSpore."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from support.project import PROJECT, SUPPORT

GUARD = 1800  # seconds after which a job is taken to hang


def hear_sighup():
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Ranks:
    """Two toy ranks; the folder, whose name is in the command line of each process, has a space in its name."""

    def __init__(self, folder: Path, behaviour: str):
        self.folder = folder / "a job"
        self.folder.mkdir()
        program = [SUPPORT / "start_ranks.py", 2, self.folder / "logs", SUPPORT / "toy_rank.py", behaviour, self.folder]
        command, paths = [sys.executable, *map(str, program)], os.environ | {"PYTHONPATH": str(PROJECT)}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        # Whoever starts the tests under `nohup` lets them ignore SIGHUP, which a job then ignores too.
        self.process = subprocess.Popen(command, env=paths, preexec_fn=hear_sighup, **pipes)

    def wait_for(self, pattern: str, count: int = 2) -> None:
        """Wait for `count` files that the processes write."""
        while len(list(self.folder.glob(pattern))) < count:
            assert self.process.poll() is None, pattern
            time.sleep(0.05)

    def alive(self) -> dict[str, psutil.Process]:
        """The running processes of the job without the launcher: msrun, and the others by their role and rank."""
        found = {}
        for process in psutil.process_iter(["pid", "cmdline", "status"]):
            words = process.info["cmdline"] or []
            if process.info["status"] == psutil.STATUS_ZOMBIE or process.pid == self.process.pid:
                continue
            if str(self.folder) in " ".join(words):
                with contextlib.suppress(psutil.Error):  # it has ended since
                    environment = process.environ()
                    role = environment.get("MS_ROLE", "msrun")
                    found["MS_SCHED" if role == "MS_SCHED" else role + environment.get("RANK_ID", "")] = process
        return found

    def ended(self, status: int) -> tuple[str, str]:
        """Wait for the end, check the exit status and that no process is left, and return what was printed."""
        out, err = self.process.communicate(timeout=GUARD)
        assert self.process.returncode == status, out + err
        psutil.wait_procs(self.alive().values(), timeout=GUARD)  # the system may still list one that was killed
        assert not self.alive()
        return out, err


@pytest.fixture
def start(tmp_path):
    started = []

    def begin(behaviour):
        started.append(Ranks(tmp_path, behaviour))
        return started[-1]

    yield begin
    for ranks in started:
        if ranks.process.poll() is None:
            ranks.process.kill()
        for process in ranks.alive().values():
            process.kill()


def test_a_job_that_succeeds_shows_the_log_of_rank_0_alone(start):
    assert start("done").ended(0) == ("rank 0 ready\n", "")


def test_a_mistake_that_all_ranks_report_is_one_line(start):
    assert start("mistake").ended(2) == ("rank 0 ready\n", "error: batch_size is 0\n")


def test_a_rank_that_dies_ends_all_and_its_log_is_shown(start):
    _, err = start("crash").ended(1)
    assert err.startswith("error: rank 1 was killed by signal 9; all other processes here were stopped; the end of ")
    assert err.endswith("worker_1.log:\nrank 1 ready\nthe reason\n") or err.endswith("the reason\nrank 1 ready\n")
    assert "chatter" not in err


def test_a_scheduler_that_ends_alone_ends_all(start):
    _, err = start("no_scheduler").ended(1)
    assert "error: the scheduler ended while workers were still running" in err and "Address already in use" in err


def test_msrun_that_is_killed_takes_all_with_it(start):
    ranks = start("forever")
    ranks.wait_for("ready*")
    assert ranks.alive().keys() == {"msrun", "MS_SCHED", "MS_WORKER0", "MS_WORKER1"}
    ranks.alive()["msrun"].kill()
    assert "error: msrun was killed by signal 9" in ranks.ended(1)[1]


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 0), (signal.SIGHUP, 0)])
def test_a_signal_is_passed_on_and_decides_the_status(start, number, status):
    ranks = start("obedient")
    ranks.wait_for("ready*")
    ranks.process.send_signal(number)
    assert ranks.ended(status)[1] == ""


def test_a_signal_before_there_are_workers_reaches_them(start):
    ranks = start("forever")
    ranks.wait_for("logs/msrun.log", 1)  # msrun takes a second to start them
    ranks.process.send_signal(signal.SIGTERM)
    assert ranks.ended(0)[1] == "stopped by SIGTERM before or after training: nothing was lost\n"


def test_a_second_signal_ends_at_once(start):
    ranks = start("stubborn")
    ranks.wait_for("ready*")
    ranks.process.send_signal(signal.SIGINT)
    ranks.wait_for("asked*")
    ranks.process.send_signal(signal.SIGTERM)
    assert ranks.ended(143)[1] == "stopped at once by a second SIGTERM; what was saved before stays\n"


def test_a_reader_that_leaves_does_not_stop_the_job(start):
    ranks = start("done")
    ranks.process.stdout.close()
    ranks.process.wait(GUARD)
    assert ranks.process.returncode == 0 and not ranks.alive()

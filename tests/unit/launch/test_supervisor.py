"""The supervisor names what ended elsewhere, and leaves no process behind."""

import contextlib
import shlex
import signal

import psutil
import pytest

from src.launch import supervisor
from src.launch.job import Job
from src.launch.processes import how_it_ended
from src.launch.supervisor import Failure, Supervisor

TIMED_OUT = "[ERROR] DISTRIBUTED(1,7f,python):2026-01-01 [a.cc:1] f] The node: {} is timed out. It may exit\n"


@pytest.fixture
def second_machine(tmp_path):
    """The supervisor of ranks 2 and 3 of 4."""
    return Supervisor(Job(2, 4, 2, 1), ["x.py"], tmp_path)


def test_a_rank_of_another_machine_is_named(second_machine):
    (second_machine.logs / "scheduler.log").write_text(TIMED_OUT.format(3) + TIMED_OUT.format(1))
    assert second_machine._lost_elsewhere(-signal.SIGTERM) == "rank 1, on another machine, has ended"


def test_without_the_schedulers_log_another_machine_is_named(second_machine):
    assert second_machine._lost_elsewhere(-signal.SIGTERM) == "a rank on another machine has ended"


@pytest.mark.parametrize("code", [-signal.SIGKILL, 1])
def test_only_sigterm_means_that_another_machine_failed(second_machine, code):
    assert second_machine._lost_elsewhere(code) is None


def test_a_single_machine_has_no_other(tmp_path):
    assert Supervisor(Job(2, 2), ["x.py"], tmp_path)._lost_elsewhere(-signal.SIGTERM) is None


def test_a_worker_that_failed_before_it_was_found_has_the_missing_rank(second_machine):
    second_machine.ranks = {70: 2}
    assert second_machine._rank_of(Failure(70, 1)) == 2
    assert second_machine._rank_of(Failure(71, 1)) == 3


@pytest.mark.parametrize("code, words", [(-9, "was killed by signal 9"), (3, "ended with status 3")])
def test_exit_codes_in_words(code, words):
    assert how_it_ended(code) == words


def test_no_process_is_left_of_an_msrun_that_dies_at_once(tmp_path, monkeypatch):
    """A rank in a session of its own, as msrun starts it, and a child of that rank in another."""
    numbers = [tmp_path / "rank", tmp_path / "child"]
    rank = f"setsid sleep 300 & echo $! >'{numbers[1]}'; wait"
    script = f"MS_ROLE=MS_WORKER RANK_ID=0 setsid sh -c {shlex.quote(rank)} & echo $! >'{numbers[0]}'"
    script += f"; until [ -s '{numbers[1]}' ]; do :; done; kill -9 $$"
    monkeypatch.setattr(supervisor, "msrun_command", lambda *_: ["sh", "-c", script])
    monkeypatch.setattr(supervisor, "POLL_INTERVAL", 1)
    assert Supervisor(Job(1, 1), ["x.py"], tmp_path / "logs").run() == 1
    left = [process for number in numbers for process in _running(int(number.read_text()))]
    for process in left:
        process.kill()
    assert not left


def _running(number):
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(number)
        return [process] if process.status() != psutil.STATUS_ZOMBIE else []
    return []

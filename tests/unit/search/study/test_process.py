"""A training as a child process: its environment, its last words, and that it ends with whoever started it."""

import fcntl
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from support.project import PROJECT

from src.search.study.process import OUTPUT, Job, TrialProcess, last_line

GUARD = 60  # seconds after which a process is taken to hang


@pytest.fixture
def start(tmp_path):
    """Return a function that starts a Python text as a training."""

    def run(text, threads=3, device=None):
        (tmp_path / "training.py").write_text(text)
        return TrialProcess(Job(7, (str(tmp_path / "training.py"),), tmp_path), threads, device)

    return run


def end_of(process):
    process.process.wait(GUARD)
    return process.poll()


def test_a_training_gets_its_threads_and_sees_one_device(start, tmp_path):
    text = "import json, os, sys; json.dump([os.environ[k] for k in ('OMP_NUM_THREADS', 'ASCEND_RT_VISIBLE_DEVICES')]"
    end = end_of(start(f"{text} + [os.getpgid(0) == os.getpid()], sys.stdout)", device="5"))
    assert (end.number, end.code, end.device) == (7, 0, "npu 5")
    # Its own process group: Ctrl-C of a terminal reaches the study alone.
    assert json.loads((tmp_path / OUTPUT).read_text()) == ["3", "5", True]


def test_without_an_npu_the_list_of_devices_stays(start, tmp_path, monkeypatch):
    monkeypatch.delenv("ASCEND_RT_VISIBLE_DEVICES", raising=False)
    end = end_of(start("import os, sys; sys.exit('ASCEND_RT_VISIBLE_DEVICES' in os.environ)"))
    assert (end.code, end.device) == (0, "cpu")


def test_the_words_are_those_of_this_attempt(start, tmp_path):
    (tmp_path / OUTPUT).write_text("error: of an earlier attempt\n")
    assert end_of(start("import sys; sys.exit(1)")).said == ""
    assert end_of(start("print('error: mine'); print('later'); raise SystemExit(2)")).said == "mine"
    assert (tmp_path / OUTPUT).read_text().startswith("error: of an earlier attempt\n")


@pytest.mark.parametrize(
    "text, line",
    [
        (b"", ""),
        (b"one\ntwo\n\n", "two"),
        (b"error: first\nerror: second\nmore\n", "second"),
        (b"\xff\x1b[31mred\n", "\ufffd\\x1b[31mred"),
        (b"x" * 1000, "x" * 149 + "\u2026" + "x" * 150),
    ],
)
def test_the_last_line_of_an_output(text, line, tmp_path):
    (tmp_path / OUTPUT).write_bytes(text)
    assert last_line(tmp_path / OUTPUT) == line
    assert last_line(tmp_path / "missing") == ""


def test_a_training_is_asked_to_stop(start, tmp_path):
    text = "import signal, sys, pathlib\nsignal.signal(15, lambda *_: sys.exit(4))\n"
    process = start(text + f"pathlib.Path({str(tmp_path / 'ready')!r}).touch()\nwhile True: signal.pause()")
    wait_for(tmp_path / "ready", process)
    process.terminate()
    assert end_of(process).code == 4
    process.terminate()  # which it may be asked after its end, too


def test_to_kill_a_training_kills_what_it_has_started(start, tmp_path):
    text = "import subprocess, sys\np = subprocess.Popen(['sleep', '1000'])\n"
    process = start(text + f"open({str(tmp_path / 'ready')!r}, 'w').write(str(p.pid))\np.wait()")
    child = psutil.Process(int(wait_for(tmp_path / "ready", process)))
    process.kill()
    assert end_of(process).code == -9
    psutil.wait_procs([child], GUARD)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_a_process_that_does_not_end_is_given_up(start, monkeypatch, tmp_path):
    """As one that waits for a hung device."""
    process = start("import time; time.sleep(1000)")
    try:
        monkeypatch.setattr(psutil.Process, "kill", lambda self: None)
        monkeypatch.setattr("src.search.study.process.KILL_TIMEOUT", -1)
        assert process.poll() is None
        process.kill()
        end = process.poll()
        assert end.code == -9 and "does not end, although it was killed" in end.said
    finally:
        process.process.kill()
        process.process.wait()


def test_a_training_waits_until_one_that_is_ending_has_left_the_folder(start, tmp_path):
    text = f"import fcntl; fcntl.flock(open({str(tmp_path / '.lock')!r}, 'w'), fcntl.LOCK_EX | fcntl.LOCK_NB)"
    with open(tmp_path / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = start(text)
        time.sleep(0.3)  # a training that did not wait would have ended by now
    assert end_of(process).code == 0


DRIVER = """
import sys, time
from pathlib import Path
from src.search.study.process import Job, TrialProcess
TrialProcess(Job(1, (sys.argv[1],), Path(sys.argv[2])), 1)
time.sleep(1000)
"""


def test_a_training_ends_with_a_killed_study(tmp_path):
    ready = tmp_path / "ready"
    text = f"import os, time\nopen({str(tmp_path / 'part')!r}, 'w').write(str(os.getpid()))\n"
    (tmp_path / "t.py").write_text(text + f"os.rename({str(tmp_path / 'part')!r}, {str(ready)!r})\ntime.sleep(1000)")
    paths = os.environ | {"PYTHONPATH": str(PROJECT)}
    study = subprocess.Popen([sys.executable, "-c", DRIVER, str(tmp_path / "t.py"), str(tmp_path)], env=paths)
    while not ready.exists():
        assert study.poll() is None
        time.sleep(0.01)
    training = psutil.Process(int(ready.read_text()))
    study.kill()
    study.wait()
    psutil.wait_procs([training], GUARD)
    assert not training.is_running() or training.status() == psutil.STATUS_ZOMBIE


def wait_for(file: Path, process: TrialProcess) -> str:
    while not file.exists() or (not file.read_text() and file.stat().st_size):
        assert process.process.poll() is None
        time.sleep(0.01)
    return file.read_text()

"""search.py twist in a process of its own, with trials that take no time."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import psutil

from src.search.study.records import read_results
from support.project import PROJECT, SUPPORT

GUARD = 600  # seconds after which a study is taken to hang
PLACEMENT = {"seconds": 0.0, "attempts": 1, "host": "", "device": "cpu"}  # what placement and interruptions may change
FLAGS = ("--trials", 3, "--budget_trials", 0, "--final_seeds", 0, "--input_size", 48, "--recipe", "recipe.yaml")
CODE = """
import sys
from pathlib import Path
import search
from src.search import studies
from src.search.study import run
run.PROJECT = Path("fake project").absolute()
studies.check_packages = lambda: None
studies.write_report = lambda study: ""
sys.exit(search.run_commands(search.COMMANDS, ""))
"""


def fake_project(folder):
    """Return a project in which train.py is a program that takes no time, see fake_training.py."""
    (folder / "fake project").mkdir()
    (folder / "fake project/train.py").symlink_to(SUPPORT / "fake_training.py")
    return folder / "fake project"


class Program:
    """A study in FOLDER/my study, where `fake_project(FOLDER)` was called."""

    def __init__(self, folder, flags):
        self.folder = folder / "my study"
        self.process = subprocess.Popen(
            [sys.executable, "-c", CODE, *map(str, flags)],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(PROJECT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Whoever starts the tests under `nohup` lets them ignore SIGHUP, which a study then ignores too.
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
        )

    def trainings(self, count=2):
        """Return the processes of the trials that hang, once there are so many."""
        while True:
            found = list(self.folder.glob("trials/*/hangs"))
            if len(found) >= count and all(file.read_text() for file in found):
                return [psutil.Process(int(file.read_text())) for file in found]
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.02)

    def end(self):
        """Wait for the end of the program, and return status, output and errors."""
        out, err = self.process.communicate(timeout=GUARD)
        return self.process.returncode, out, err


def assert_gone(processes):
    """Wait until the processes have ended."""
    psutil.wait_procs(processes, GUARD)
    assert not [process for process in processes if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


def records(folder):
    """Return the results of a study without what placement and interruptions may change."""
    return [replace(result, **PLACEMENT) for result in read_results(folder)]

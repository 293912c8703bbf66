"""Run root scripts in processes that are forked from one that has imported MindSpore, which saves 3 s each."""

from __future__ import annotations

import multiprocessing
import os
import runpy
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).resolve().parent.parent
IMPORTED = ["mindspore", "src.training.run", "src.classification.task", "src.classification.evaluate"]
LONGEST = 600  # seconds of a command; a longer one hangs


class Ended(NamedTuple):
    """How a command ended, and what it printed."""

    status: int | None
    stdout: str
    stderr: str


def run_forked(words: list[str], folder: Path = PROJECT, stop_after: float = LONGEST, user: int | None = None) -> Ended:
    """Run a root script of the project with its flags in `folder`, and return how it ended.

    Args:
        words: the name of the script and its flags.
        folder: the working folder.
        stop_after: seconds until SIGTERM, which ends a training with status 0.
        user: number of the user and group, instead of those of this process.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    with tempfile.TemporaryDirectory() as place:
        outputs = [Path(place) / "stdout", Path(place) / "stderr"]
        process = context.Process(target=_start, args=(words, folder, outputs, user))
        process.start()
        process.join(stop_after)
        if process.is_alive():
            process.terminate()
            process.join(LONGEST)
        return Ended(process.exitcode, *(output.read_text(errors="replace") for output in outputs))


def _start(words: list[str], folder: Path, outputs: list[Path], user: int | None) -> None:
    for descriptor, output in enumerate(outputs, 1):
        os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT), descriptor)
    os.chdir(folder)
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    script = str(PROJECT / words[0])
    sys.argv = [script, *words[1:]]
    runpy.run_path(script, run_name="__main__")

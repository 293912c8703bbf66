"""A copy of the project in a folder with a space in its name, where commands are run as a user runs them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import PROJECT

SKIPPED = shutil.ignore_patterns(".git", ".venv", "runs", "data", "__pycache__", ".pytest_cache", "*.egg-info", "build")


class Workspace:
    """Runs commands in the copy; `run` gives the finished process with its text."""

    def __init__(self, folder: Path):
        self.folder = folder
        shutil.copytree(PROJECT, folder, ignore=SKIPPED)
        (folder / ".venv").symlink_to(Path(sys.prefix))

    def run(self, *command, cwd=None, status=0, timeout=900):
        path = f"{self.folder}/.venv/bin{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            [str(word) for word in command],
            cwd=cwd or self.folder,
            env=os.environ | {"PATH": path},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        assert done.returncode == status, f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def fails(self, *command, words, status=2, **options):
        """The command ends with `status` and one line of error that holds `words`; no trace of a stack."""
        done = self.run(*command, status=status, **options)
        errors = [line for line in done.stderr.splitlines() if line.startswith("error:")]
        assert len(errors) == 1 and words in errors[0], done.stderr
        assert "Traceback" not in done.stderr + done.stdout and "C++ Call Stack" not in done.stderr + done.stdout
        return done


@pytest.fixture(scope="session")
def workspace(tmp_path_factory):
    return Workspace(tmp_path_factory.mktemp("system") / "tiny net")


@pytest.fixture(scope="session")
def quickstart(workspace, tmp_path_factory):
    """The workspace after `bash scripts/quickstart.sh`, started from a foreign folder, and what that printed."""
    done = workspace.run("bash", workspace.folder / "scripts/quickstart.sh", cwd=tmp_path_factory.mktemp("elsewhere"))
    return workspace, done


@pytest.fixture(scope="session")
def classifier(workspace):
    """The C++ program, built as a user builds it."""
    return Path(workspace.run("bash", "ascend310_infer/build.sh").stdout.splitlines()[-1])


@pytest.fixture(scope="session")
def sanitized_classifier(workspace):
    """The same with AddressSanitizer and UndefinedBehaviorSanitizer."""
    folder = workspace.folder / "ascend310_infer/build/sanitized"
    done = workspace.run("bash", "ascend310_infer/build.sh", folder, "-DTINYNET_SANITIZE=ON")
    return Path(done.stdout.splitlines()[-1])

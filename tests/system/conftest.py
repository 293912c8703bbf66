"""A copy of the project in a folder with a space in its name, where commands are run as a user runs them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.project import PROJECT

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
            env=os.environ | {"PATH": path, "VIRTUAL_ENV": str(self.folder / ".venv")},
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
def small_workspace(tmp_path_factory):
    """Another copy, whose train.py trains a network of few blocks: for what happens to a run, whatever it learns."""
    workspace = Workspace(tmp_path_factory.mktemp("system") / "small net")
    shutil.copy(workspace.folder / "tests/system/train_small.py", workspace.folder / "train.py")
    return workspace


@pytest.fixture(scope="session")
def quickstart(workspace, tmp_path_factory):
    """The workspace after `bash scripts/quickstart.sh`, started from a foreign folder, and what that printed."""
    done = workspace.run("bash", workspace.folder / "scripts/quickstart.sh", cwd=tmp_path_factory.mktemp("elsewhere"))
    return workspace, done


@pytest.fixture(scope="session")
def build_classifier(workspace):
    """Runs ascend310_infer/build.sh with the given arguments; the program's path. Skips where there is no compiler."""

    def build(*arguments):
        try:
            done = workspace.run("bash", "ascend310_infer/build.sh", *arguments)
        except AssertionError as failure:
            if "to build the C++ program, run as root" in str(failure):
                pytest.skip(str(failure).splitlines()[-1])
            raise
        return Path(done.stdout.splitlines()[-1])

    return build


@pytest.fixture(scope="session")
def classifier(build_classifier):
    """The C++ program, built as a user builds it."""
    return build_classifier()


@pytest.fixture(scope="session")
def lite_home(workspace, tmp_path_factory):
    """A folder like MindSpore Lite's package with the test double in it; or nothing, and why."""
    source, folder = workspace.folder / "ascend310_infer/tests/lite_double", tmp_path_factory.mktemp("lite")
    command = [sys.executable, source / "fetch_headers.py", folder / "headers"]
    fetched = subprocess.run(command, capture_output=True, text=True)
    if fetched.returncode:
        return None, fetched.stderr.strip()
    settings = f"-DHEADERS={folder / 'headers'}", f"-DPACKAGE={folder / 'package'}"
    workspace.run("cmake", "-S", source, "-B", folder / "build", *settings)
    workspace.run("cmake", "--build", folder / "build")
    return folder / "package", ""


@pytest.fixture(scope="session")
def sanitized_classifier(build_classifier, classifier, lite_home, tmp_path_factory):
    """The program with AddressSanitizer and UndefinedBehaviorSanitizer, with its unit tests in the same folder.

    MindSpore Lite's backend is in it where the test double could be built.
    """
    folder = tmp_path_factory.mktemp("infer") / "build it"
    switches = "-DTINYNET_TESTS=ON", "-DTINYNET_SANITIZE=ON"
    return build_classifier(folder, f"-DLITE_HOME={lite_home[0] or ''}", *switches)

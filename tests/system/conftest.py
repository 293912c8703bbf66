"""A copy of the project in a folder with a space in its name, where commands are run as a user runs them.

What several tests need is made once for each test process: the quick start's run and the C++ program.
"""

import os
import runpy
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.project import PROJECT

from src.images.digits import write_digits

SKIPPED = shutil.ignore_patterns(
    ".git", ".venv", "runs", "data", "site", "__pycache__", ".pytest_cache", "*.egg-info", "build"
)
GUARD = 1800  # seconds after which a command is taken to hang; no test needs a tenth of it


@dataclass(frozen=True)
class Finished:
    """How a command ended, and what it printed."""

    stdout: str
    stderr: str
    returncode: int

    def assert_one_error(self, words: str) -> None:
        """Check that stderr has one line of error, that it contains `words`, and that no trace was printed."""
        errors = [line for line in self.stderr.splitlines() if line.startswith("error:")]
        assert len(errors) == 1 and words in errors[0], self.stderr
        assert "Traceback" not in self.stderr + self.stdout
        assert "C++ Call Stack" not in self.stderr + self.stdout


class Workspace:
    """Runs commands in a copy of the project, each in a process of its own."""

    def __init__(self, folder: Path):
        self.folder = folder
        shutil.copytree(PROJECT, folder, ignore=SKIPPED)
        (folder / ".venv").symlink_to(Path(sys.prefix))

    def start(self, *command, cwd=None, environment=os.environ, **streams):
        """Start a command as a user who has activated the project's environment."""
        path = f"{self.folder}/.venv/bin{os.pathsep}{os.environ['PATH']}"
        return subprocess.Popen(
            [str(word) for word in command],
            cwd=cwd or self.folder,
            env=environment | {"PATH": path, "VIRTUAL_ENV": str(self.folder / ".venv")},
            stdin=subprocess.DEVNULL,
            text=True,
            **streams,
        )

    def run(self, *command, status=0, **options):
        """Run a command to its end, check its exit status, and return what it printed."""
        with self.start(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options) as process:
            try:
                done = Finished(*process.communicate(timeout=GUARD), process.wait())
            finally:
                process.kill()
        assert done.returncode == status, f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def fails(self, *command, words, status=2, **options):
        """Run a command that ends with `status` and one line of error, which contains `words`."""
        done = self.run(*command, status=status, **options)
        done.assert_one_error(words)
        return done


@pytest.fixture(scope="session")
def workspace(tmp_path_factory):
    return Workspace(tmp_path_factory.mktemp("system") / "tiny net")


@pytest.fixture
def door(monkeypatch, capfd):
    """Return a function that runs a root script in this process, which has imported MindSpore already.

    What a script does is the same in a process of its own, but for the import; see `Workspace.run` for that.
    """

    def run(script, *flags, cwd=None, status=0):
        if cwd is not None:
            monkeypatch.chdir(cwd)
        monkeypatch.setattr("sys.argv", [script, *map(str, flags)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(PROJECT / script), run_name="__main__")
        done = Finished(*capfd.readouterr(), ended.value.code)
        assert done.returncode == status, f"{script} {flags} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    return run


@pytest.fixture
def refused(door):
    """Return a function that runs a root script in this process, and checks that `words` are in its only error."""

    def run(*command, words, status=2, **options):
        done = door(*command, status=status, **options)
        done.assert_one_error(words)
        return done

    return run


@pytest.fixture(scope="session")
def few_digits(tmp_path_factory):
    """A folder with 12 training and 4 validation images of each digit: 120 and 40 images."""
    folder, digits = tmp_path_factory.mktemp("few") / "few digits", write_digits()
    for split, count in {"train": 12, "val": 4}.items():
        for source in sorted((digits / split).iterdir()):
            (folder / split / source.name).mkdir(parents=True)
            for image in sorted(source.iterdir())[:count]:
                shutil.copy(image, folder / split / source.name)
    return folder


@pytest.fixture(scope="session")
def quickstart(workspace, tmp_path_factory):
    """The workspace after `bash scripts/quickstart.sh`, started from a foreign folder, and what that printed."""
    done = workspace.run("bash", workspace.folder / "scripts/quickstart.sh", cwd=tmp_path_factory.mktemp("elsewhere"))
    return workspace, done


@pytest.fixture(scope="session")
def compiler_or_skip():
    """Return a context in which a test is skipped if the C++ compiler is missing and cannot be installed."""

    @contextmanager
    def context():
        try:
            yield
        except AssertionError as failure:
            if "to build the C++ program, run as root" in str(failure):
                pytest.skip(str(failure).splitlines()[-1])
            raise

    return context


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
    workspace.run("cmake", "--build", folder / "build", "--parallel")
    return folder / "package", ""


@pytest.fixture(scope="session")
def sanitized_classifier(workspace, compiler_or_skip, lite_home, tmp_path_factory):
    """The C++ program with AddressSanitizer and UndefinedBehaviorSanitizer, with its unit tests in the same folder.

    MindSpore Lite's backend is in it where the test double could be built.
    """
    folder = tmp_path_factory.mktemp("infer") / "build it"
    switches = f"-DLITE_HOME={lite_home[0] or ''}", "-DTINYNET_TESTS=ON", "-DTINYNET_SANITIZE=ON"
    with compiler_or_skip():
        done = workspace.run("bash", "ascend310_infer/build.sh", folder, *switches)
    return Path(done.stdout.splitlines()[-1])

"""When the library is compiled, where it is kept, and what is said if it cannot be."""

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from src.kernels import build
from src.kernels.build import BuildError, built_library, cache_folder, find_compiler

# A compiler that writes its arguments into the output file, and a line into a log for each call that compiles.
FAKE = """#!/bin/sh
if [ "$1" = --version ]; then echo "fake 1.0"; exit 0; fi
echo "$*" >> "{log}"
while [ $# -gt 1 ]; do [ "$1" = -o ] && echo "$*" > "$2"; shift; done
"""


@pytest.fixture
def compiler(tmp_path, monkeypatch):
    """The path of a compiler that takes no time; its log says how often it compiled. The cache folder is empty."""
    program = tmp_path / "my compilers" / "fake++"
    program.parent.mkdir()
    program.write_text(FAKE.format(log=program.with_suffix(".log")))
    program.chmod(0o755)
    monkeypatch.setenv("CXX", str(program))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a cache"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return program


def calls(compiler):
    log = compiler.with_suffix(".log")
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_a_library_is_built_once_in_a_folder_of_this_user_alone(compiler, tmp_path):
    library = built_library()
    assert library.parent == tmp_path / "a cache" / "tinynet-mindspore"
    assert stat.S_IMODE(library.parent.stat().st_mode) == 0o700
    before = calls(compiler)
    assert before == len(list(build.NATIVE.glob("*.cpp"))) + 1  # and one to link
    assert built_library() == library and calls(compiler) == before
    assert [path.name for path in library.parent.iterdir()] == [library.name]


@pytest.mark.parametrize("change", ["source", "flags", "version", "cpu"])
def test_another_source_flag_compiler_or_cpu_has_another_library(compiler, tmp_path, monkeypatch, change):
    before = built_library()
    if change == "source":
        native = tmp_path / "native"
        native.mkdir()
        for path in build.NATIVE.iterdir():
            (native / path.name).write_text(path.read_text() + "\n")
        monkeypatch.setattr(build, "NATIVE", native)
    elif change == "flags":
        monkeypatch.setattr(build, "FLAGS", (*build.FLAGS, "-g"))
    elif change == "version":
        compiler.write_text(compiler.read_text().replace("fake 1.0", "fake 1.1"))
    else:
        monkeypatch.setattr(build, "_cpu", lambda: "flags: another")
    assert built_library() != before


def test_the_cpu_is_known_by_its_models_and_instructions(tmp_path):
    cpuinfo = tmp_path / "cpuinfo"
    core = "processor\t: {}\nmodel name\t: {}\nMHz\t: {}\nflags\t\t: avx2 fma\n"
    cpuinfo.write_text(core.format(0, "fast", 1000) + core.format(1, "slow", 1234.5))
    assert build._cpu(cpuinfo) == "flags\t\t: avx2 fma\nmodel name\t: fast\nmodel name\t: slow"
    assert build._cpu(tmp_path / "none") == ""


def test_processes_may_build_at_once(compiler):
    found = []
    threads = [threading.Thread(target=lambda: found.append(built_library())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4 and len(set(found)) == 1
    assert [path.name for path in found[0].parent.iterdir()] == [found[0].name]


def test_without_a_home_that_can_be_written_the_library_is_a_temporary_file(compiler, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert cache_folder() == tmp_path / f"tinynet-mindspore-{os.getuid()}"
    (tmp_path / "with:colon").mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "with:colon"))  # MindSpore reads PATH:SYMBOL
    assert cache_folder() == tmp_path / f"tinynet-mindspore-{os.getuid()}"


def test_folders_and_libraries_of_other_users_and_links_are_not_used(compiler, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "a cache").mkdir()
    (tmp_path / "a cache" / "tinynet-mindspore").symlink_to(tmp_path / "elsewhere")
    own = cache_folder()
    assert own == tmp_path / f"tinynet-mindspore-{os.getuid()}"
    library = built_library()
    target = library.rename(tmp_path / "planted.so")
    library.symlink_to(target)
    before = calls(compiler)
    assert built_library() == library and not library.is_symlink() and calls(compiler) > before
    owner = own.stat().st_uid
    monkeypatch.setattr("os.getuid", lambda: owner + 1)
    own.rename(tmp_path / f"tinynet-mindspore-{os.getuid()}")  # made beforehand by the first user
    with pytest.raises(BuildError, match="belongs to another user"):
        cache_folder()


@pytest.mark.parametrize(
    "script, words",
    [
        ("exit 3", "failed: status 3"),
        ("echo 'native/x.h:3: error: no such thing' >&2; exit 1", "failed: native/x.h:3: error: no such thing"),
        ("sleep 5", "took more than 0.2 s"),
    ],
)
def test_a_compiler_that_fails_is_named_with_its_first_error(compiler, monkeypatch, script, words):
    compiler.write_text(f"#!/bin/sh\n{script}\n")
    monkeypatch.setattr(build, "TIMEOUT", 0.2)
    with pytest.raises(BuildError, match=f"fake.. {words}"):
        built_library()


def test_a_machine_without_a_compiler_says_what_to_install(compiler, monkeypatch):
    monkeypatch.setenv("CXX", "/no/such/c++")
    with pytest.raises(BuildError, match="CXX is /no/such/c.., and there is no such program"):
        find_compiler()
    monkeypatch.delenv("CXX")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(BuildError, match="no C.. compiler: install g"):
        find_compiler()


def test_a_full_disk_is_a_build_error(compiler, monkeypatch):
    def full(command):
        if "--version" in command:
            return ""
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(build, "_run", full)
    with pytest.raises(BuildError, match="cannot write .*No space left on device"):
        built_library()


def test_a_fork_computes_with_new_threads():
    """MindData forks for Python transforms. The threads of the parent do not exist in the child."""
    program = """
import os, sys, numpy as np
from support import native
x = np.ones((4, 16, 40, 40), np.float32)
def call():
    how = native.settings(1, 0)
    return native.call("DepthwiseForward", [x, np.ones((16, 1, 3, 3), np.float32), how], [x.shape])[0].sum()
native.built().SetThreadCount(3)
before = call()
child = os.fork()
if child == 0:
    os._exit(0 if call() == before else 1)
sys.exit(os.waitpid(child, 0)[1])
"""
    tests = Path(__file__).parents[2]
    paths = os.pathsep.join([str(tests), str(tests.parent)])
    done = subprocess.run([sys.executable, "-c", program], env=os.environ | {"PYTHONPATH": paths}, timeout=120)
    assert done.returncode == 0

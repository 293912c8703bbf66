"""The kernels in a C++ program of their own: with sanitizers, and compiled for other instruction sets and machines."""

import platform
import shutil
import subprocess
from pathlib import Path

import pytest

from src.kernels import build
from src.kernels.build import find_compiler

PROGRAM = Path(__file__).with_name("kernels_test.cpp")
FLAGS = [
    *("-std=c++17", "-fno-math-errno", "-ffp-contract=fast", "-pthread", "-Wall", "-Wextra", "-Werror"),
    *("-Wno-unknown-warning-option", "-Wno-uninitialized", "-Wno-maybe-uninitialized"),  # clang does not know the last
]
SANITIZERS = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
OTHERS = {"AVX2": ["-O1", "-mavx2", "-mfma"], "128 bits": ["-O1"]}


def run(compiler, flags, folder, *, emulator=()):
    program = folder / "kernels test"
    sources = [str(PROGRAM), *map(str, sorted(build.NATIVE.glob("*.cpp")))]
    command = [compiler, *FLAGS, *flags, *sources, "-o", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    done = subprocess.run([*emulator, str(program)], capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout) == (0, "all kernels are right\n"), done.stdout + done.stderr[-2000:]


def test_all_kernels_are_right_and_stay_in_their_memory(tmp_path):
    run(find_compiler(), ["-O0", "-march=native", *SANITIZERS], tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("name", OTHERS)
def test_all_kernels_are_right_with_other_instructions(name, tmp_path):
    if name == "AVX2" and " avx2 " not in build._cpu():
        pytest.skip("this machine has no AVX2")
    if name == "128 bits" and platform.machine() != "x86_64":
        pytest.skip("the native vectors of this machine have 128 bits")
    run(find_compiler(), OTHERS[name], tmp_path)


@pytest.mark.long
def test_all_kernels_are_right_on_aarch64_under_emulation(tmp_path):
    compiler, emulator = shutil.which("aarch64-linux-gnu-g++"), shutil.which("qemu-aarch64")
    if not compiler or not emulator:
        pytest.skip("g++-aarch64-linux-gnu or qemu-user is not installed")
    run(compiler, ["-O1", "-static"], tmp_path, emulator=(emulator,))

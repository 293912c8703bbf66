"""Compile the C++ kernels to a shared library: once for each source, compiler and CPU, in a folder of this user."""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import shutil
import stat
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from src.errors import UserError
from src.runtime.files import atomic_write
from src.runtime.workers import usable_cores

logger = logging.getLogger(__name__)

NATIVE = Path(__file__).parent / "native"
# `-march=native` does not exist for ARM in every compiler; `nodelete` because its threads live as long as the process.
FLAGS = (
    "-std=c++17",
    "-O3",
    "-mcpu=native" if platform.machine() == "aarch64" else "-march=native",
    *("-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast"),
    *("-fvisibility=hidden", "-fPIC", "-pthread"),
)
LINK_FLAGS = ("-shared", "-pthread", "-Wl,-z,nodelete")
COMPILERS = ("c++", "g++", "clang++")
TIMEOUT = 300  # seconds for one file; the slowest takes 4 s
CPU_FIELDS = ("model name", "flags", "CPU implementer", "CPU part", "Features")  # of /proc/cpuinfo


class BuildError(Exception):
    """The library cannot be built. The text says why, as a part of a line."""


def built_library() -> Path:
    """Return the library for this machine; compile it if it is not there.

    Two processes may build at once: each writes a file of its own, which then takes the common name.

    Raises:
        BuildError: there is no compiler, it fails, or this user has no folder for the library.
    """
    compiler = find_compiler()
    library = cache_folder() / f"kernels-{_key(compiler)}.so"
    if _is_own(library, stat.S_ISREG):
        return library
    began = time.perf_counter()
    try:
        with atomic_write(library) as temporary:
            _compile(compiler, temporary)
    except UserError as error:
        raise BuildError(str(error)) from None
    logger.info("CPU kernels: compiled with %s in %.0f s", compiler, time.perf_counter() - began)
    return library


def find_compiler() -> str:
    """Return the C++ compiler that the variable CXX names, or the first that is installed.

    Raises:
        BuildError: there is none.
    """
    wanted = os.environ.get("CXX", "").strip()
    for name in (wanted,) if wanted else COMPILERS:
        if found := shutil.which(name):
            return found
    if wanted:
        raise BuildError(f"CXX is {wanted}, and there is no such program")
    raise BuildError("there is no C++ compiler: install g++ (Debian, Ubuntu: 'apt-get install g++')")


def cache_folder() -> Path:
    """Return a folder that no other user can write: in the user's cache, else among the temporary files.

    Raises:
        BuildError: there is no such folder.
    """
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    faults = []
    for folder in (
        Path(cache) / "tinynet-mindspore",
        Path(tempfile.gettempdir()) / f"tinynet-mindspore-{os.getuid()}",
    ):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _is_own(folder, stat.S_ISDIR):
                faults.append(f"{folder} belongs to another user")
            elif ":" in str(folder.resolve()):
                faults.append(f"{folder} has a colon, which MindSpore does not allow in the path of a library")
            else:
                folder.chmod(0o700)
                with tempfile.TemporaryFile(dir=folder):
                    return folder
        except OSError as error:
            faults.append(f"{folder} cannot be written ({error.strerror})")
    raise BuildError("; ".join(faults))


def _is_own(path: Path, is_kind: object) -> bool:
    """Return whether `path` is there, of that kind (not a link to one), and belongs to this user."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return is_kind(found.st_mode) and found.st_uid == os.getuid()  # type: ignore[operator]


def _key(compiler: str) -> str:
    """Return a hash of all that the library depends on. It runs on no other CPU than that it was compiled for."""
    version = _run([compiler, "--version"])
    sources = [f"{path.name}\n{path.read_text(encoding='utf-8')}" for path in sorted(NATIVE.iterdir())]
    parts = [*sources, *FLAGS, *LINK_FLAGS, compiler, version, platform.machine(), _cpu()]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _cpu(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Return what the compiler's `native` depends on: the models and the instructions of all cores."""
    lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines() if cpuinfo.exists() else []
    return "\n".join(sorted({line for line in lines if line.startswith(CPU_FIELDS)}))


def _compile(compiler: str, library: Path) -> None:
    """Compile each source, as many at a time as there are cores, and link them."""
    objects = {source: library.with_name(f"{source.stem}.o") for source in sorted(NATIVE.glob("*.cpp"))}
    commands = [[compiler, *FLAGS, "-c", str(source), "-o", str(file)] for source, file in objects.items()]
    with ThreadPoolExecutor(usable_cores()) as threads:
        list(threads.map(_run, commands))
    _run([compiler, *LINK_FLAGS, *map(str, objects.values()), "-o", str(library)])


def _run(command: list[str]) -> str:
    """Return what a command prints.

    Raises:
        BuildError: it fails, or takes too long.
    """
    try:
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=False, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        raise BuildError(f"{command[0]} took more than {TIMEOUT} s") from None
    except OSError as error:
        raise BuildError(f"{command[0]} cannot be started ({error.strerror})") from None
    if done.returncode:
        words = done.stderr.decode(errors="replace").split("\n")
        faults = [line for line in words if "error" in line.lower()] or [f"status {done.returncode}"]
        raise BuildError(f"{command[0]} failed: {faults[0].strip()}")
    return done.stdout.decode(errors="replace")

"""Run the commands where users run them: other folders, locales, limits, users, shells. Needs root and util-linux.

    python benchmarks/surroundings.py [--only WORD ...]

Each surrounding starts check_dataset.py, train.py (one epoch of a small network), predict.py, export.py, search.py and
one launcher. A command is right if it ends as it does in the project's folder: with status 0 and the same predictions,
or, where it cannot work, with status 2 and one line. Every other end is printed, and the script ends with status 1.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

PROJECT = Path(__file__).resolve().parent.parent
NETWORK = PROJECT / "tests/support/small_network.yaml"
NOBODY = "--reuid=4321 --regid=4321 --clear-groups"
HOME = "the project's folder"
GROUP = Path("/sys/fs/cgroup/cpu/surroundings")
READS_ALL = "--inh-caps=+dac_read_search --ambient-caps=+dac_read_search"  # the Python of a root-only home


class Surrounding(NamedTuple):
    """A prefix of shell words, variables to set or (None) to remove, and the folder to start in."""

    prefix: str = ""
    variables: dict[str, str | None] = {}
    folder: str = str(PROJECT)


SURROUNDINGS = {
    "another working directory": Surrounding(folder="/"),
    "a working directory that was removed": Surrounding("sh -c 'cd $(mktemp -d) && rmdir $PWD && exec \"$@\"' sh"),
    "no HOME": Surrounding(variables={"HOME": None}),
    "a HOME that does not exist": Surrounding(variables={"HOME": "/nowhere"}),
    "C locale": Surrounding(variables={"LC_ALL": "C"}),
    "C locale, without Python's UTF-8 mode": Surrounding(
        variables={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    ),
    "an ASCII terminal": Surrounding(variables={"PYTHONIOENCODING": "ascii:strict"}),
    "closed stdin": Surrounding("sh -c 'exec \"$@\" <&-' sh"),
    "closed stdin and stderr": Surrounding("sh -c 'exec \"$@\" <&- 2>&-' sh"),
    "a full disk behind stderr": Surrounding("sh -c 'exec \"$@\" 2>/dev/full' sh"),
    "64 open files": Surrounding("sh -c 'ulimit -n 64; exec \"$@\"' sh"),
    "/dev/shm of 1 MB": Surrounding("unshare -m sh -c 'mount -t tmpfs -o size=1m tmpfs /dev/shm; exec \"$@\"' sh"),
    "a read-only /dev/shm": Surrounding("unshare -m sh -c 'mount -t tmpfs -o ro tmpfs /dev/shm; exec \"$@\"' sh"),
    "umask 077": Surrounding("sh -c 'umask 077; exec \"$@\"' sh"),
    "umask 000": Surrounding("sh -c 'umask 000; exec \"$@\"' sh"),
    "another user, read-only project": Surrounding(f"setpriv {NOBODY} {READS_ALL}"),
    "a user without a name and HOME": Surrounding(f"setpriv {NOBODY} {READS_ALL}", {"HOME": None, "USER": None}),
    "one core": Surrounding("taskset -c 0"),
    "half a core (cgroup)": Surrounding(f"sh -c 'echo $$ >{GROUP}/tasks; exec \"$@\"' sh"),
    "TMPDIR with a space": Surrounding(variables={"TMPDIR": "TMPDIR with space"}),
    "TMPDIR that does not exist": Surrounding(variables={"TMPDIR": "/nowhere"}),
    "PYTHONSAFEPATH=1": Surrounding(variables={"PYTHONSAFEPATH": "1"}),
    "PYTHONOPTIMIZE=2": Surrounding(variables={"PYTHONOPTIMIZE": "2"}),
    "another package src in PYTHONPATH": Surrounding(variables={"PYTHONPATH": "other"}),
    "CDPATH": Surrounding(variables={"CDPATH": f".:/tmp:{PROJECT}"}),
    "exported SHELLOPTS": Surrounding("env SHELLOPTS=noclobber:noglob:nounset:posix"),
    "an exported function cd": Surrounding("env 'BASH_FUNC_cd%%=() { builtin cd \"$@\" && echo now in $PWD; }'"),
    "COLUMNS=0, TERM=dumb": Surrounding(variables={"COLUMNS": "0", "TERM": "dumb"}),
}


def make_data(folder: Path) -> None:
    """Write two classes of noise, whose names need UTF-8: 12 training and 6 validation images each."""
    rng = np.random.default_rng(0)
    for split, count in {"train": 12, "val": 6}.items():
        for index, name in enumerate(("Vögel", "鱼")):
            target = folder / split / name
            target.mkdir(parents=True)
            for number in range(count):
                pixels = rng.integers(0, 120, (40, 40, 3)) + 100 * np.eye(3)[index]
                Image.fromarray(pixels.astype(np.uint8)).save(target / f"{number}.png")


def commands(data: Path, ckpt: Path, out: Path) -> dict[str, list[str]]:
    """Return the words of each command, which writes below `out`."""
    train = ["--model", str(NETWORK), "--data_path", str(data), "--batch_size", "8", "--epochs", "1"]
    train += ["--warmup_epochs", "0", "--run_dir", str(out / "run"), "--lr", "0.01", "--device_target", "CPU"]
    python = [sys.executable]
    return {
        "check_dataset.py": [*python, f"{PROJECT}/check_dataset.py", "--data_path", str(data)],
        "train.py": [*python, f"{PROJECT}/train.py", *train],
        "predict.py": [*python, f"{PROJECT}/predict.py", "--ckpt", str(ckpt), str(data / "val"), "--json"],
        "export.py": [*python, f"{PROJECT}/export.py", "--ckpt", str(ckpt), "--file_name", str(out / "net")],
        "search.py": [*python, f"{PROJECT}/search.py", "cost", str(NETWORK)],
        "run_eval.sh": ["bash", f"{PROJECT}/scripts/run_eval.sh", str(data), str(ckpt)],
    }


def start(words: list[str], surrounding: Surrounding, place: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a surrounding and return how it ended. `place` holds what the surroundings name."""
    variables = {
        key: str(place / value) if value in ("other", "TMPDIR with space") else value
        for key, value in surrounding.variables.items()
    }
    environment = {**os.environ, **variables}
    return subprocess.run(
        [*shlex.split(surrounding.prefix), *words],
        cwd=surrounding.folder,
        env={key: value for key, value in environment.items() if value is not None},
        capture_output=True,
        text=True,
        errors="replace",
    )


def fault(done: subprocess.CompletedProcess[str], expected: str) -> str:
    """Return what is wrong with the end of a command, or an empty text."""
    errors = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    if "Traceback" in done.stderr + done.stdout or "Call Stack" in done.stderr:
        return "trace: " + " | ".join(done.stderr.splitlines()[-3:])
    if done.returncode == 2 and len(errors) == 1:
        return errors[0]
    if done.returncode:
        return f"status {done.returncode}: " + " | ".join(done.stderr.splitlines()[-3:])
    return "" if expected in done.stdout else f"other output: {done.stdout[-200:]!r}"


@contextlib.contextmanager
def inputs() -> Iterator[Path]:
    """Give a folder with all that the surroundings name: data, folders, a group of processes that gets half a core."""
    place = Path(tempfile.mkdtemp(prefix="surroundings-"))
    place.chmod(0o755)
    for name in ("TMPDIR with space", "other/src"):
        (place / name).mkdir(parents=True)
        (place / name).chmod(0o777)
    (place / "other/src/__init__.py").write_text("raise ImportError('of another project')\n")
    make_data(place / "data")
    GROUP.mkdir(exist_ok=True)
    (GROUP / "cpu.cfs_quota_us").write_text("50000")
    try:
        yield place
    finally:
        GROUP.rmdir()
        shutil.rmtree(place)


def run_all(title: str, surrounding: Surrounding, place: Path) -> dict[str, subprocess.CompletedProcess[str]]:
    """Run all commands in a surrounding."""
    out = place / title.replace("/", "")
    out.mkdir()
    out.chmod(0o777)
    ckpt = place / HOME / "run/checkpoints/last.ckpt"
    return {name: start(words, surrounding, place) for name, words in commands(place / "data", ckpt, out).items()}


def main() -> int:
    """Try all surroundings and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="WORD", help="surroundings whose name contains a word")
    only = parser.parse_args().only
    chosen = {title: it for title, it in SURROUNDINGS.items() if not only or any(word in title for word in only)}
    faults = 0
    with inputs() as place:
        # Of predict.py the classes and probabilities of the last image: how its path is written may differ.
        results = {name: done.stdout.splitlines()[-1:] for name, done in run_all(HOME, Surrounding(), place).items()}
        expected = {name: results[name][0].rpartition('"top"')[2] for name in ("predict.py", "run_eval.sh")}
        for title, surrounding in chosen.items():
            ends = run_all(title, surrounding, place)
            found = {name: fault(done, expected.get(name, "")) for name, done in ends.items()}
            bad = {name: text for name, text in found.items() if text}
            faults += len(bad)
            print(f"{title}: {len(found) - len(bad)} of {len(found)} as in {HOME}", flush=True)
            for name, text in bad.items():
                print(f"    {name}: {text}", flush=True)
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())

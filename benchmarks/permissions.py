"""Run each command as a user who may not read or write what it needs. Takes 2 minutes on two cores, as root.

    python benchmarks/permissions.py [--only WORD ...] [--classifier FILE]

A case locks one file or folder that belongs to somebody else (mode 000 or 700, or 755 where it would be written) and
starts one command as the user `nobody`. It is right if the command ends with status 2 and one line that names what is
locked, and has written nothing. Every other end is printed, and the script ends with status 1.

`--classifier` names the C++ program that `ascend310_infer/build.sh` builds; without it, its cases are left out.
"""

from __future__ import annotations

import argparse
import glob
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from benchmarks.forked import Ended, run_forked

NETWORK = PROJECT / "tests/support/one_block.yaml"
# The Python of a home that only root may enter: nobody sees it through a folder in its place, in this process alone.
OPEN_HOME = """
    if [ -d /root/.pyenv ]; then
        holder="$(mktemp -d)" && mount --bind /root/.pyenv "$holder" && mount -t tmpfs -o mode=755 tmpfs /root
        mkdir /root/.pyenv && mount --bind "$holder" /root/.pyenv
    fi
    exec "$@"
"""
NOBODY = 65534
RECIPE = "--batch_size 4 --epochs 1 --warmup_epochs 0 --lr 0.01 --device_target CPU"
LONGER = RECIPE.replace("--epochs 1", "--epochs 2")


class Case(NamedTuple):
    """A locked path, its mode, and the command that needs it; all paths are relative to the inputs."""

    locked: str
    mode: int
    command: str


READ = [  # commands, and all that they read
    (f"train.py --model net.yaml --data_path data --run_dir out/run {RECIPE}", "net.yaml data data/train/a"),
    (f"train.py --config c.yaml --model net.yaml --data_path data --run_dir out/run {RECIPE}", "c.yaml data/val"),
    (
        f"train.py --model net.yaml --data_path data --ckpt w.ckpt --run_dir out/run {RECIPE}",
        "w.ckpt data/train/a/0.png",
    ),
    (f"train.py --model net.yaml --data_path data --run_dir out/run {RECIPE} --check_data quick", "data/val/b/0.png"),
    (f"train.py --model net.yaml --data_path data {RECIPE} --resume run/checkpoints/last.ckpt", "run run/checkpoints"),
    (
        f"train.py --model net.yaml --data_path data {RECIPE} --run_dir run --resume auto",
        "run run/checkpoints/last.ckpt",
    ),
    (f"train.py --model net.yaml --data_path records --run_dir out/run {RECIPE}", "records records/dataset.json"),
    ("eval.py --ckpt w.ckpt --data_path data", "w.ckpt data data/val data/val/a data/val/a/0.png"),
    ("eval.py --ckpt w.ckpt --data_path data --check_data off", "data/val/a/0.png"),
    ("eval.py --ckpt w.safetensors --data_path data", "w.safetensors"),
    ("eval.py --ckpt weights --data_path data --table out/table.csv", "weights weights/w.ckpt"),
    ("predict.py --ckpt w.ckpt data/val/a", "w.ckpt data data/val/a data/val/a/0.png"),
    ("predict.py --ckpt w.ckpt data/val/a/0.png --labels labels.txt", "labels.txt data/val/a/0.png data/val/a"),
    ("export.py --ckpt w.ckpt --file_name out/net", "w.ckpt"),
    ("export.py --ckpt w.ckpt --file_name out/net --images data/val/a", "data/val/a data/val/a/0.png"),
    (
        "export.py --ckpt w.ckpt --file_name out/net --file_format ONNX --precision int8 --calibration data/train",
        "data/train data/train/a/0.png",
    ),
    ("check_dataset.py --data_path data", "data data/train data/train/a data/train/a/0.png"),
    ("convert_dataset.py --data_path data --output out/records", "data data/val/b data/val/b/1.png"),
    ("search.py cost net.yaml", "net.yaml"),
    ("search.py formula --macs 100M --points points.csv --output out/net.yaml", "points.csv"),
    ("postprocess.py --results results.json --data_path data", "results.json data data/val"),
    ("postprocess.py --results results.json --label_file labels.json --description net.json", "labels.json net.json"),
    ("scripts/run_eval.sh data w.ckpt", "data w.ckpt"),
    ("scripts/run_distribute_train.sh 2 data c.yaml --run_dir out/run", "data c.yaml"),
    ("tinynet_infer --model_path net.onnx data/val/a", "net.onnx net.json data/val data/val/a"),
    ("tinynet_infer --model_path net.onnx data/val/a/0.png", "data/val/a/0.png"),
    ("tinynet_infer --model_path net.onnx data/val/a/1.png --labels labels.txt", "labels.txt"),
]
WRITTEN = [  # commands, and what they write
    (f"train.py --model net.yaml --data_path data --run_dir closed/run {RECIPE}", "closed"),
    (f"train.py --model net.yaml --data_path data {LONGER} --run_dir run --resume auto --allow_changes", "run"),
    ("eval.py --ckpt w.ckpt --data_path data --results closed/results.csv", "closed"),
    ("eval.py --ckpt w.ckpt --data_path data --confusion closed/confusion.png", "closed"),
    ("eval.py --ckpt weights --data_path data --table closed/table.csv", "closed"),
    ("predict.py --ckpt w.ckpt data/val/a --sheet closed/sheet.png", "closed"),
    ("export.py --ckpt w.ckpt --file_name closed/net", "closed"),
    ("export.py --ckpt w.ckpt --file_name closed/net --file_format CKPT", "closed"),
    ("convert_dataset.py --data_path data --output closed/records", "closed"),
    ("search.py formula --macs 100M --output closed/net.yaml", "closed"),
    ("search.py formula --macs 100M --plot closed/plot.png", "closed"),
    ("search.py cost net.yaml --plot closed/plot.png", "closed"),
    ("scripts/run_distribute_train.sh 2 data c.yaml --run_dir closed/run", "closed"),
    ("tinynet_infer --model_path net.onnx data/val/a --output closed/out.txt", "closed"),
    ("tinynet_infer --model_path net.onnx data/val/a --format bin --output closed/out", "closed"),
    ("tinynet_infer --model_path net.onnx data/val/a --timing closed/t.json", "closed"),
]


def cases() -> list[Case]:
    """Return all cases: a file that is read has mode 000, such a folder 700, and a folder to write into 755."""
    read = [
        Case(path, 0o000 if Path(path).suffix else 0o700, command) for command, paths in READ for path in paths.split()
    ]
    return read + [Case(path, 0o755, command) for command, path in WRITTEN]


def make_inputs(place: Path) -> None:
    """Write all that the commands read, readable for everybody, and the folders `out` and `closed`."""
    rng = np.random.default_rng(0)
    for split in ("train", "val"):
        for name in ("a", "b"):
            (place / "data" / split / name).mkdir(parents=True)
            for number in range(4):
                pixels = rng.integers(0, 255, (40, 50, 3)).astype(np.uint8)
                Image.fromarray(pixels).save(place / "data" / split / name / f"{number}.png")
    for name in ("out", "closed", "weights"):
        (place / name).mkdir()
    shutil.copy(NETWORK, place / "net.yaml")
    (place / "c.yaml").write_text("model: net.yaml\nepochs: 1\nwarmup_epochs: 0\nbatch_size: 2\nlr: 0.01\n")
    (place / "labels.txt").write_text("a\nb\n")
    (place / "labels.json").write_text('{"0.png": 0}')
    (place / "points.csv").write_text("c,r,d\n0.2,0.7,0.7\n0.4,0.8,0.8\n0.9,0.9,0.9\n")
    top = [{"class": "a", "index": 0, "probability": 0.5}, {"class": "b", "index": 1, "probability": 0.5}]
    (place / "results.json").write_text(json.dumps([{"image": "val/a/0.png", "top": top}]))
    for command in (
        f"train.py --model net.yaml --data_path data --run_dir run {RECIPE}",
        "export.py --ckpt run/checkpoints/last.ckpt --file_format ONNX --file_name net",
        "export.py --ckpt run/checkpoints/last.ckpt --file_format CKPT --file_name w",
        "export.py --ckpt run/checkpoints/last.ckpt --file_format SAFETENSORS --file_name w",
        "convert_dataset.py --data_path data --output records",
    ):
        done = run_forked(command.split(), place)
        if done.status:
            sys.exit(done.stderr)
    shutil.copy(place / "w.ckpt", place / "weights")
    subprocess.run(["chmod", "-R", "a+rX", str(place)], check=True)
    (place / "out").chmod(0o777)


def start(command: str, place: Path, classifier: str) -> Ended:
    """Run a command as `nobody`."""
    program, *flags = command.split()
    if program.endswith(".py"):
        return run_forked([program, *flags], place, user=NOBODY)
    words = [classifier] if program == "tinynet_infer" else ["bash", str(PROJECT / program)]
    done = subprocess.run(
        [*words, *flags],
        cwd=place,
        capture_output=True,
        text=True,
        errors="replace",
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def tree(place: Path) -> list[str]:
    """Return all paths below a folder."""
    return sorted(str(path) for path in place.rglob("*"))


def fault(case: Case, place: Path, classifier: str) -> str:
    """Run a case and return what is wrong with its end, or an empty text."""
    locked = place / case.locked
    mode, before = locked.stat().st_mode, tree(place)
    locked.chmod(case.mode)
    try:
        done = start(case.command, place, classifier)
    finally:
        locked.chmod(mode)
    errors = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    written = sorted(set(tree(place)) - set(before))
    is_job = "distribute" in case.command  # whose logs are kept
    for path in written:
        shutil.rmtree(path) if Path(path).is_dir() else Path(path).unlink(missing_ok=True)
    if "Traceback" in done.stderr + done.stdout or "Call Stack" in done.stderr:
        return "trace: " + " | ".join(done.stderr.splitlines()[-3:])
    if done.status != 2 or len(errors) != 1:
        return f"status {done.status}: " + " | ".join([*done.stdout.splitlines()[-1:], *done.stderr.splitlines()[-3:]])
    if Path(case.locked).name not in done.stderr + done.stdout or "ermission" not in done.stderr + done.stdout:
        return f"not named: {errors[0]}"
    return f"wrote {written}" if written and not is_job else ""


def main() -> int:
    """Run all cases and print those that end in another way than by one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="WORD", help="cases whose command or locked path contains a word")
    parser.add_argument("--classifier", default="", help="the C++ program")
    flags = parser.parse_args()
    if "OPENED" not in os.environ:
        runtime = importlib.util.find_spec("onnxruntime")
        place = Path(runtime.origin).parent if runtime and runtime.origin else Path("/nowhere")
        library = [*glob.glob(f"{place}/capi/libonnxruntime.so*"), ""]
        os.environ |= {"ORT_LIB": library[0], "OPENED": "1", "HOME": "/nowhere", "MPLCONFIGDIR": "/nowhere"}
        os.execvp("unshare", ["unshare", "-m", "sh", "-c", OPEN_HOME, "sh", sys.executable, *sys.argv])
    chosen = [case for case in cases() if flags.classifier or not case.command.startswith("tinynet_infer")]
    if flags.only:
        chosen = [case for case in chosen if any(word in f"{case.command} {case.locked}" for word in flags.only)]
    faults = 0
    with tempfile.TemporaryDirectory(prefix="permissions-") as folder:
        place = Path(folder) / "place"
        place.mkdir()
        Path(folder).chmod(0o755)
        make_inputs(place)
        for case in chosen:
            if found := fault(case, place, flags.classifier):
                faults += 1
                print(f"{case.command}: {case.locked} {case.mode:03o}: {found}", flush=True)
    print(f"{len(chosen) - faults} of {len(chosen)} cases ended with one line that names what is locked")
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())

"""Run each command with every number that its flags take at both ends of its range. Takes 15 minutes on two cores.

    python benchmarks/flag_ends.py [--only NAME ...]

The network has one block and the data set 24 images. A run is right if it ends with status 0, or with one line and
status 2 (a mistake) or 3 (training diverged). A training is stopped by SIGTERM after 60 s, which ends it with status 0.
Every other end is printed, and the script ends with status 1. `tests/unit/config/test_ranges.py` has the same ends.
"""

from __future__ import annotations

import argparse
import math
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, get_args

import numpy as np
from annotated_types import Ge, Gt, Le, Lt
from PIL import Image

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from benchmarks.forked import LONGEST, run_forked
from src.config import ConvertConfig, EvalConfig, ExportConfig, FormulaConfig, Options, PredictConfig, TrainConfig

NETWORK = PROJECT / "tests/support/one_block.yaml"
STOP_AFTER = 60  # seconds of a training
SCHEMAS: dict[str, type[Options]] = {
    "train.py": TrainConfig,
    "eval.py": EvalConfig,
    "predict.py": PredictConfig,
    "export.py": ExportConfig,
    "convert_dataset.py": ConvertConfig,
    "search.py formula": FormulaConfig,
}
# What an option needs to have an effect, or to fit into the memory of this machine at its upper end.
NEEDED = {
    "randaugment": "--randaugment_std 0",
    "randaugment_ops": "--randaugment 9",
    "randaugment_std": "--randaugment 9",
    "random_erasing": "--erasing_mode pixel",
    "mix_prob": "--mixup 0.2 --cutmix 1",
    "mix_switch_prob": "--mixup 0.2 --cutmix 1",
    "decay_epochs": "--schedule step",
    "decay_rate": "--decay_epochs 0.001",
    "min_lr": "--schedule cosine",
    "warmup_lr": "--warmup_epochs 1",
    "beta1": "--optimizer adamw",
    "beta2": "--optimizer adamw",
    "adam_epsilon": "--optimizer adamw",
    "rms_decay": "--optimizer rmsprop",
    "epsilon": "--optimizer rmsprop",
    "loss_scale": "--amp_level O2",
    "threads": "--benchmark",
}
TOO_LARGE = {("train.py", "input_size"), ("eval.py", "input_size")}  # upper ends that need more than 24 GB here


class Case(NamedTuple):
    """A command with one option at one end of its range."""

    command: str
    option: str
    value: float


def cases() -> Iterator[Case]:
    """Give all commands with each of their numbers at both ends."""
    for command, schema in SCHEMAS.items():
        for name, field in schema.model_fields.items():
            kinds = {field.annotation, *get_args(field.annotation)}
            if not kinds & {int, float} or str(field.annotation).startswith("tuple"):
                continue
            for limit in field.metadata:
                value = end(limit)
                if value is None or ((command, name) in TOO_LARGE and isinstance(limit, Le)):
                    continue
                yield Case(command, name, value)


def end(limit: object) -> float | None:
    """Return the last value that a limit of pydantic allows."""
    if isinstance(limit, Ge):
        return limit.ge  # type: ignore[return-value]
    if isinstance(limit, Le):
        return limit.le  # type: ignore[return-value]
    if isinstance(limit, Gt):
        return math.nextafter(limit.gt, math.inf)  # type: ignore[arg-type]
    if isinstance(limit, Lt):
        return math.nextafter(limit.lt, -math.inf)  # type: ignore[arg-type]
    return None


def make_inputs(folder: Path) -> None:
    """Write two classes of noise."""
    rng = np.random.default_rng(0)
    for split, count in {"train": 8, "val": 4}.items():
        for name in ("a", "b"):
            (folder / "data" / split / name).mkdir(parents=True)
            for number in range(count):
                pixels = rng.integers(0, 255, (40, 50, 3)).astype(np.uint8)
                Image.fromarray(pixels).save(folder / "data" / split / name / f"{number}.png")


def words(command: str, folder: Path, out: Path) -> str:
    """Return a command line that works, to which an option is added."""
    data, ckpt = folder / "data", folder / "run/checkpoints/last.ckpt"
    weights = f"--ckpt {ckpt} --device_target CPU"
    recipe = "--batch_size 8 --epochs 2 --warmup_epochs 0 --lr 0.01 --device_target CPU"
    return {
        "train.py": f"train.py --model {NETWORK} --data_path {data} --run_dir {out}/run {recipe}",
        "eval.py": f"eval.py {weights} --data_path {data} --batch_size 4",
        "predict.py": f"predict.py {weights} {data}/val --batch_size 1",
        "export.py": f"export.py {weights} --file_name {out}/net",
        "convert_dataset.py": f"convert_dataset.py --data_path {data} --output {out}/records",
        "search.py formula": "search.py formula --macs 100M",
    }[command]


def command_line(case: Case, folder: Path, out: Path) -> str:
    """Return the command line of a case: one that works, in which the flags of the case overrule others."""
    line = words(case.command, folder, out)
    flags = f"{NEEDED.get(case.option, '')} --{case.option} {case.value!r}"
    if case.option == "latency":
        line, flags = line.replace(" --macs 100M", ""), f"{flags}s"
    for flag in re.findall(r"--\w+", flags):
        line = re.sub(rf" {flag}\b( [^-]\S*)?", "", line)
    return f"{line} {flags}"


def run(case: Case, folder: Path) -> str:
    """Run a case and return what is wrong with its end, or an empty text."""
    with tempfile.TemporaryDirectory(dir=folder) as out:
        line = command_line(case, folder, Path(out)).split()
        done = run_forked(line, stop_after=STOP_AFTER if case.command == "train.py" else LONGEST)
    said = done.stderr.splitlines()
    errors = [text for text in said if text.startswith("error:")]
    if any("Traceback" in text or "Call Stack" in text for text in said):
        return "trace: " + " | ".join(said[-4:])
    if done.status in (2, 3) and len(errors) == 1:
        print(f"    {case.command} --{case.option} {case.value!r}: {errors[0][:160]}", flush=True)
        return ""
    return "" if done.status == 0 else f"status {done.status}: " + " | ".join(said[-3:])


def main() -> int:
    """Run all cases and print those that end in another way than by 0 or by one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="commands or options")
    only = parser.parse_args().only
    chosen = [case for case in cases() if not only or case.option in only or case.command.split()[0] in only]
    faults = 0
    with tempfile.TemporaryDirectory(prefix="ends-") as place:
        folder = Path(place)
        make_inputs(folder)
        first = run_forked(words("train.py", folder, folder).split())
        if first.status:
            sys.exit(first.stderr)
        for case in chosen:
            if fault := run(case, folder):
                faults += 1
                print(f"{case.command} --{case.option} {case.value!r}: {fault}", flush=True)
    print(f"{len(chosen) - faults} of {len(chosen)} runs ended with status 0 or with one line")
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())

"""Compare the C++ program of ascend310_infer/ on the CPU to the same work in Python.

    python benchmarks/edge.py [--model FILE.onnx] [--batch_size 1] [--threads 2] [--rounds 3]

Without --model, an untrained TinyNet-C is exported. The images are generated JPEGs of 500 x 375 pixels, quality 90.
All candidates classify the same files in alternating rounds after an untimed start; medians are printed:

    program        the C++ program: images/s after the model is loaded, peak memory, seconds until the first result
    Python         benchmarks/edge_python.py (Pillow and ONNX Runtime) with the same number of threads
    inference      ONNX Runtime alone on prepared images with the same number of threads
    ideal          cores / processor time per image of the program's stages with one thread

The column "a core" divides the images by the processor time of all threads. Background load changes it less than
images/s.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from benchmarks.photographs import make_photographs
from src.runtime.workers import usable_cores

PROGRAM = PROJECT / "ascend310_infer/build/tinynet_infer"
STAGES = ("decode", "preprocess", "infer")
SIZE = (500, 375)  # width and height, pixels


def export_tinynet_c(folder: Path) -> Path:
    """Export TinyNet-C with initial weights to ONNX, and return the file."""
    import mindspore as ms

    from src.config import ExportConfig
    from src.deploy.exporter import export_checkpoint
    from src.models import create_model
    from src.weights.loading import save_safetensors

    ms.set_seed(1)
    weights = folder / "weights.safetensors"
    save_safetensors(create_model("tinynet_c"), weights)
    name = folder / "tinynet_c"
    return export_checkpoint(
        ExportConfig(model="tinynet_c", ckpt=weights, file_format="ONNX", batch_size=0, file_name=name)
    )


def run(command: Sequence[str | Path]) -> tuple[float, str]:
    """Run a command; return the seconds until its first line of output, and its last line."""
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None  # because of PIPE
        line = process.stdout.readline()
        first = time.perf_counter() - began
        *_, last = (line, *process.stdout)
    if process.returncode:
        sys.exit(f"`{' '.join(map(str, command))}` ended with {process.returncode}")
    return first, last


def run_program(model: Path, images: Path, threads: int, batch_size: int) -> dict[str, Any]:
    """Return the timing that the C++ program writes, and as `first` the seconds until its first result."""
    with tempfile.TemporaryDirectory() as scratch:
        timing = Path(scratch) / "timing.json"
        flags = ["--threads", str(threads), "--batch_size", str(batch_size), "--timing", str(timing)]
        first, _ = run([PROGRAM, images, "--model_path", model, *flags])
        return json.loads(timing.read_text()) | {"first": first}


def run_python(model: Path, images: Path, threads: int, batch_size: int, *flags: str) -> dict[str, Any]:
    """Return the same timing of the Python pipeline."""
    command: list[str | Path] = [sys.executable, PROJECT / "benchmarks/edge_python.py", model, images, *flags]
    first, last = run([*command, "--threads", str(threads), "--batch_size", str(batch_size)])
    return json.loads(last) | {"first": first}


def processor_ms(timing: dict[str, Any], stage: str) -> float:
    """Return the processor time of a stage per image, in ms."""
    return 1e3 * timing[stage]["processor_seconds"] / timing["images"]


def main() -> None:
    """Parse the command line, measure in rounds and print the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="ONNX file of export.py; default: an untrained TinyNet-C")
    parser.add_argument("--images", type=int, default=512, help="number of images to generate")
    parser.add_argument("--threads", type=int, default=usable_cores(), help="threads of each candidate")
    parser.add_argument("--batch_size", type=int, default=1, help="images per call")
    parser.add_argument("--rounds", type=int, default=3, help="rounds; medians are printed")
    args = parser.parse_args()
    if not PROGRAM.exists():
        sys.exit(f"error: {PROGRAM} does not exist; run `bash ascend310_infer/build.sh`")

    with tempfile.TemporaryDirectory() as scratch:
        images = Path(scratch) / "images"
        make_photographs(images, args.images, SIZE)
        model = args.model or export_tinynet_c(Path(scratch))
        same = (model, images, args.threads, args.batch_size)
        runs = {
            "program": lambda: run_program(*same),
            "program, one thread": lambda: run_program(model, images, 1, args.batch_size),
            "Python": lambda: run_python(*same),
            "inference": lambda: run_python(*same, "--inference_alone"),
        }
        for name in ("program", "Python"):  # an untimed start, because the first one reads the files from disk
            runs[name]()
        measured: dict[str, list[dict[str, Any]]] = {name: [] for name in runs}
        for _ in range(args.rounds):
            for name, measure in runs.items():
                measured[name].append(measure())
    report(measured, args)


def report(measured: dict[str, list[dict[str, Any]]], args: argparse.Namespace) -> None:
    """Print the table of candidates, the times of the stages, and each goal with its result."""

    def median(name: str, key: str) -> float:
        return statistics.median(timing[key] for timing in measured[name])

    alone = measured["program, one thread"]
    spent = {stage: statistics.median(processor_ms(timing, stage) for timing in alone) for stage in STAGES}
    core = {
        name: statistics.median(timing["images"] / timing["processor_seconds"] for timing in timings)
        for name, timings in measured.items()
    }
    cores = min(args.threads, usable_cores())
    rate, ideal = median("program", "images_per_second"), 1e3 * cores / sum(spent.values())
    print(f"{args.images} images of {SIZE[0]} x {SIZE[1]}, batch {args.batch_size}, {args.threads} threads", end=", ")
    print(f"{usable_cores()} cores, medians of {args.rounds} rounds, {measured['program'][0]['backend']}")
    print(f"{'':<22}{'images/s':>10}{'a core':>10}{'memory MB':>12}{'first result s':>16}")
    for name in measured:
        values = [median(name, key) for key in ("images_per_second", "peak_megabytes", "first")]
        print(f"{name:<22}{values[0]:>10.1f}{core[name]:>10.1f}{values[1]:>12.0f}{values[2]:>16.3f}")
    print(f"{'ideal':<22}{ideal:>10.1f}{ideal / cores:>10.1f}\n")
    print(f"{'program, ms':<22}{'median':>10}{'95 %':>12}{'processor, one thread':>24}")
    for stage in (*STAGES, "latency"):
        middle, most = (
            statistics.median(timing[stage][key] for timing in measured["program"]) for key in ("median_ms", "p95_ms")
        )
        own = f"{spent[stage]:>24.2f}" if stage in spent else ""
        print(f"{stage:<22}{middle:>10.2f}{most:>12.2f}{own}")
    print()
    memory = median("program", "peak_megabytes") / median("Python", "peak_megabytes")
    first = median("program", "first")
    faster = rate / median("Python", "images_per_second")
    for name, value, goal, reached in (
        ("images/s: program / ideal", rate / ideal, ">= 0.9", rate / ideal >= 0.9),
        ("a core: program / ideal", cores * core["program"] / ideal, "", None),
        ("images/s: program / Python", faster, "> 1", faster > 1),
        ("a core: program / Python", core["program"] / core["Python"], "", None),
        ("first result, s", first, "<= 0.3", first <= 0.3),
        ("memory: program / Python", memory, "<= 1/3", memory <= 1 / 3),
    ):
        verdict = f"goal {goal:<8}{'reached' if reached else 'MISSED'}" if goal else "(depends less on background load)"
        print(f"{name:<30}{value:>8.3f}   {verdict}")


if __name__ == "__main__":
    main()

"""Measure what ends of processes and machines do to a study of real trainings.

    python benchmarks/study_faults.py kills [--kills 10]  # the driver is killed at random moments; then trials
    python benchmarks/study_faults.py parallel            # two trials at a time against one with two threads
    python benchmarks/study_faults.py cluster             # two Ray nodes on this machine, one of which is lost

Each part trains a small network on the embedded digits, prints what happened, and ends with status 1 if a result
differs from that of an undisturbed study, or if a training outlives its study by more than five seconds.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from src.launch.plan import free_port
from src.search.study.records import read_results
from src.search.study.trial import Result

NETWORK = PROJECT / "tests/support/small_network.yaml"
RECIPE = """
epochs: 2
warmup_epochs: 0.2
batch_size: 64
lr: 0.005
lr_batch: 0
hflip: 0
color_jitter: 0
log_interval: 4
checkpoint_minutes: 0.001
workers: 1
"""
PLACEMENT: dict[str, Any] = {"seconds": 0.0, "attempts": 1, "host": "", "device": "cpu"}
MOST_RATIO = 0.75  # of the times of two trials at a time and of one
LONGEST_LIFE = 5  # seconds of a training after its study was killed
GUARD = 3600


def start(folder: Path, name: str, trials: int, *flags: object) -> subprocess.Popen:
    """Start a study of twist in FOLDER/NAME."""
    (folder / "recipe.yaml").write_text(RECIPE)
    words = ["twist", "--study", folder / name, "--recipe", folder / "recipe.yaml", "--model", NETWORK]
    words += ["--data_path", "digits", "--trials", trials, "--budget_trials", 0, "--final_seeds", 0]
    words += ["--c_range", 0.3, 1.8, "--r_range", 0.6, 1.4, *flags]
    if "--device_target" not in flags:
        words += ["--device_target", "CPU"]
    output = open(folder / f"{name}.txt", "a")  # noqa: SIM115 - the study's
    command = [sys.executable, str(PROJECT / "search.py"), *map(str, words)]
    return subprocess.Popen(command, cwd=PROJECT, stdout=output, stderr=subprocess.STDOUT)


def finish(study: subprocess.Popen, folder: Path, name: str) -> list[Result]:
    """Wait for the end of a study and return its results without what placement may change."""
    if study.wait(GUARD):
        sys.exit(f"the study ended with status {study.returncode}:\n{(folder / f'{name}.txt').read_text()[-2000:]}")
    return results_of(folder / name)


def results_of(folder: Path) -> list[Result]:
    """Return the results of a study without what placement and interruptions may change."""
    return [replace(result, **PLACEMENT) for result in read_results(folder)]


def trainings(folder: Path) -> list[psutil.Process]:
    """Return the running trainings of a study: its train.py and what starts it."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        is_training = "--run_dir" in words and any(word.startswith(f"{folder}/") for word in words)
        if is_training and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


def kills(folder: Path, count: int) -> bool:
    """Kill the driver at random moments and return whether the end is that of an undisturbed study."""
    trials = 8
    began = time.monotonic()
    undisturbed = finish(start(folder, "undisturbed", trials), folder, "undisturbed")
    pace = (time.monotonic() - began) / trials
    print(f"undisturbed: {trials} trials, {pace:.1f} s each", flush=True)
    draw, hit, left, starts = random.Random(1), 0, 0, 0
    while True:
        study = start(folder, "killed", trials)
        starts += 1
        try:
            study.wait(draw.uniform(0.2, 1.8) * pace if hit < count else GUARD)
            break
        except subprocess.TimeoutExpired:
            hit += 1
        running = trainings(folder / "killed")
        study.kill()
        study.wait()
        _, alive = psutil.wait_procs(running, LONGEST_LIFE)
        left += len(alive)
        done = len(read_results(folder / "killed"))
        print(f"kill {hit}: {len(running)} trainings ran, {len(alive)} outlived it; {done} trials recorded", flush=True)
    equal = finish(study, folder, "killed") == undisturbed
    print(f"killed {hit} times in {starts} starts: results {'equal' if equal else 'DIFFER'}, {left} trainings left")
    lines = (folder / "killed/trials.jsonl").read_text().splitlines()
    return equal and hit >= count and not left and len(lines) == trials and kill_a_trial(folder, undisturbed)


def kill_a_trial(folder: Path, undisturbed: list[Result]) -> bool:
    """Kill one training once, and another one twice. Return whether both are recorded as they should be."""
    study = start(folder, "trial", len(undisturbed))
    for number, times in ((1, 1), (2, 2)):
        killed = 0
        for _ in range(times):
            run_dir = str(folder / f"trial/trials/{number:04d}")
            while not (found := [p for p in trainings(folder / "trial") if run_dir in p.cmdline() and p.pid != killed]):
                if study.poll() is not None:
                    return False
                time.sleep(0.1)
            found[0].kill()
            killed = found[0].pid
    finish(study, folder, "trial")
    results = read_results(folder / "trial")
    ends = [(result.status, result.attempts) for result in results[:2]]
    others = [replace(result, **PLACEMENT) for result in results if result.number != 2]
    equal = others == [result for result in undisturbed if result.number != 2]
    print(f"a trial killed once and one killed twice: {ends}, the others {'equal' if equal else 'DIFFER'}")
    return equal and ends == [("done", 2), ("out of memory", 2)]


def parallel(folder: Path) -> bool:
    """Compare the times of two trials at a time and of one at a time with two threads, on two cores.

    Each is measured twice, in turns, and the shorter time counts, because other programs can only lengthen it.
    """
    ways = {
        "two at a time": ("--parallel", 2, "--threads", 1),
        "one with two threads": ("--parallel", 1, "--threads", 2),
    }
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    results = []
    for attempt in range(2):
        for way, flags in ways.items():
            began = time.monotonic()
            name = f"{way} {attempt}"
            results.append(finish(start(folder, name, 6, *flags), folder, name))
            seconds[way].append(time.monotonic() - began)
            print(f"{way}: {seconds[way][-1]:.1f} s; load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores", flush=True)
    two, one = (min(times) for times in seconds.values())
    equal = all(result == results[0] for result in results)
    print(f"ratio {two / one:.2f}; results {'equal' if equal else 'DIFFER'}")
    return equal and two / one <= MOST_RATIO


@contextlib.contextmanager
def ray_node(*flags: str) -> Iterator[subprocess.Popen]:
    """Start a Ray node on this machine, which ends with the block."""
    ray = str(Path(sys.executable).with_name("ray"))
    command = [ray, "start", "--block", "--disable-usage-stats", "--object-store-memory=80000000", *flags]
    node = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield node
    finally:
        node.terminate()
        try:
            node.wait(30)
        except subprocess.TimeoutExpired:
            node.kill()


def raylet_of(node: subprocess.Popen) -> psutil.Process:
    """Return the process of a node that starts its trials; wait until it runs."""
    for _ in range(6000):
        for process in psutil.Process(node.pid).children(recursive=True):
            if process.name() == "raylet":
                return process
        time.sleep(0.1)
    sys.exit("the Ray node did not start")


def cluster(folder: Path) -> bool:
    """Run a study on two nodes with pretended NPUs, one of which is lost. Return whether no trial is."""
    trials = 6
    undisturbed = finish(start(folder, "local", trials, "--device_target", "auto"), folder, "local")
    port = free_port()
    head = ("--head", f"--port={port}", "--include-dashboard=false", "--num-cpus=2", '--resources={"NPU": 2}')
    other = (f"--address=127.0.0.1:{port}", "--num-cpus=1", '--resources={"NPU": 1}')
    with ray_node(*head) as first:
        raylet_of(first)
        time.sleep(5)
        with ray_node(*other) as second:
            raylet = raylet_of(second)
            time.sleep(5)
            flags = ("--device_target", "auto", "--ray_address", f"127.0.0.1:{port}", "--threads", 1)
            study = start(folder, "cluster", trials, *flags)
            while len(running := trainings(folder / "cluster")) < 3:
                if study.poll() is not None:
                    finish(study, folder, "cluster")
                time.sleep(0.1)
            own = [process.environ() for process in running]
            devices = sorted(variables["ASCEND_RT_VISIBLE_DEVICES"] for variables in own)
            print(f"three trainings at a time see the devices {devices}", flush=True)
            lost = [process for process in running if raylet in process.parents()]
            raylet.kill()
            _, alive = psutil.wait_procs(lost, LONGEST_LIFE)
            print(f"one node is lost with {len(lost)} training; {len(alive)} outlived it", flush=True)
            results = finish(study, folder, "cluster")
    found = read_results(folder / "cluster")
    print(f"{len(found)} trials: {sorted((result.device, result.attempts, result.status) for result in found)}")
    equal = results == undisturbed
    print(f"results {'equal those of this machine alone' if equal else 'DIFFER'}")
    return equal and devices == ["0", "0", "1"] and len(lost) == 1 and not alive


def main() -> int:
    """Run one part and return 1 if something was not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["kills", "parallel", "cluster"])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--folder", type=Path, help="keep the studies here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.folder or Path(temporary)).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        parts = {"kills": lambda: kills(folder, options.kills), "parallel": lambda: parallel(folder)}
        fine = parts.get(options.part, lambda: cluster(folder))()
    print(json.dumps({"part": options.part, "as expected": fine}))
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())

"""The comparison of backbones of SSDLite: its commands, its arithmetic, and what a second start repeats."""

import json
from dataclasses import replace

import pytest

from benchmarks import detection_pair
from benchmarks.detection_pair import read_results, steps, train_missing, write_results
from benchmarks.pair_report import SCORES, Result, Run, compare
from src.cli import parse
from src.config import DetectEvalConfig, DetectTrainConfig, TrainConfig
from src.errors import UserError

RUN = Run("tinynet_d", seed=1, epochs=10, classifier_epochs=8)
OTHER = "efficientnet_b_minus_3"
PROGRAM = """
import json, sys
from pathlib import Path

flags = dict(zip(sys.argv, sys.argv[1:]))
step = "train" if "--run_dir" in flags else "eval"
with open(Path(__file__).with_name("calls.txt"), "a") as file:
    print(step, flags.get("--run_dir", flags["--ckpt" if step == "eval" else "--seed"]), file=file)
if flags.get("--seed") == "2" and "--ckpt" in flags and not Path(__file__).with_name("repaired").exists():
    sys.exit("error: no space is left")
if step == "train":
    (Path(flags["--run_dir"]) / "metrics.csv").write_text("seconds,raw_top1,ema_top1\\n,90,80\\n2.5,95,96\\n3,94,91\\n")
else:
    print("the twelve numbers")
    scores = dict.fromkeys(("ap", "ap50", "ap75", "ap_medium", "ap_large"), 77.5)
    print(json.dumps({**scores, "ap_small": -1, "ar1": 3}))
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Return a folder with commands that record their calls; they fail for the detector of seed 2 until `repaired`."""
    for name in ("train.py", "detect.py"):
        (tmp_path / name).write_text(PROGRAM)
    monkeypatch.setattr(detection_pair, "PROJECT", tmp_path)
    monkeypatch.setattr(detection_pair, "POLL", 0.01)
    return tmp_path


def result(backbone, seed, ap, macs=80_000_000, **scores):
    found = dict.fromkeys(SCORES, 50.0) | {"ap": ap, "ap_small": -1} | scores
    run = replace(RUN, backbone=backbone, seed=seed)
    return Result(run, macs, 1_500_000, top1=98.0, seconds=61.2, threads=1, parallel=2, scores=found)


def cells(report, title):
    """Return the numbers of the row of a report that begins with a title."""
    (row,) = (line for line in report.splitlines() if line.startswith(f"| {title} |"))
    return [cell.strip().replace("\\", "") for cell in row.strip("|").split("|")][1:]


def test_two_detectors_have_the_recipe_and_differ_in_backbone_and_seed_alone(tmp_path):
    recipe = parse(DetectTrainConfig, ["--config", str(detection_pair.DETECTOR)]).model_dump()
    for run in (RUN, Run(OTHER, seed=2, epochs=10, classifier_epochs=8)):
        words = [list(map(str, command)) for command in steps(run, tmp_path).values()]
        classifier = parse(TrainConfig, words[0][1:])
        trained = parse(DetectTrainConfig, words[1][2:])
        scored = parse(DetectEvalConfig, words[2][2:])
        assert classifier.model == trained.model == run.backbone and classifier.seed == trained.seed == run.seed
        assert str(trained.ckpt).startswith(str(classifier.run_dir)) and str(scored.ckpt).startswith(
            str(trained.run_dir)
        )
        own = {key for key, value in trained.model_dump().items() if value != recipe[key]}
        assert own - {"model", "seed"} == {"ckpt", "run_dir", "resume", "eval_interval"}


def test_a_second_start_repeats_no_finished_run(project, tmp_path):
    file, folder = tmp_path / "runs.jsonl", tmp_path / "runs"
    runs = [replace(RUN, seed=seed) for seed in (1, 2)]
    with pytest.raises(UserError, match="seed2: detector ended with status 1: no space is left"):
        train_missing(runs, file, folder, parallel=1)
    assert [found.run.seed for found in read_results(file)] == [1]
    (tmp_path / "repaired").touch()
    (tmp_path / "calls.txt").unlink()
    train_missing(runs, file, folder, parallel=1)
    assert "seed1" not in (tmp_path / "calls.txt").read_text()
    first, second = read_results(file)
    assert (first.run, second.run) == tuple(runs)
    assert (second.top1, second.seconds, second.scores["ap_small"]) == (96, 5.5, -1)
    assert "ar1" not in second.scores and second.macs == pytest.approx(77.99e6, abs=5000)  # search.py cost --detect


def test_other_epochs_are_another_run(project, tmp_path):
    file = tmp_path / "runs.jsonl"
    write_results(file, [result("tinynet_d", 1, 70.0)])
    train_missing([RUN, replace(RUN, epochs=2)], file, tmp_path / "runs", parallel=2)
    assert [(found.run.epochs, found.scores["ap"]) for found in read_results(file)] == [(10, 70.0), (2, 77.5)]
    assert json.loads(file.read_text().splitlines()[0])["run"]["backbone"] == "tinynet_d"


def test_the_report_has_means_deviations_and_welchs_interval():
    ours = [result("tinynet_d", seed, ap) for seed, ap in ((1, 77.0), (2, 78.0), (3, 79.0))]
    theirs = [result(OTHER, seed, ap, macs=100_000_000) for seed, ap in ((1, 75.0), (2, 76.0), (3, 77.0))]
    report = compare([*ours, *theirs], "python benchmarks/detection_pair.py")
    # Both deviations are 1, so Welch has 4 degrees of freedom: t is 2.7764, the half interval t * sqrt(2 / 3) = 2.267.
    assert cells(report, "AP, %") == ["78.00", "1.00", "76.00", "1.00", "+2.00 [-0.27, +4.27]: tie"]
    assert cells(report, "M MACs") == ["80.00", "", "100.00", "", ""]
    assert cells(report, "AP small, %") == ["", "", "", "", "not known"]
    assert (
        "0.80 of the MACs and 1.00 of the parameters" in report and "python benchmarks/detection\\_pair" not in report
    )


def test_one_seed_has_no_interval_and_one_backbone_no_difference():
    ours, theirs = result("tinynet_d", 1, 77.0), result(OTHER, 1, 75.0)
    assert cells(compare([ours, theirs], ""), "AP, %") == ["77.00", "", "75.00", "", "+2.00, one seed: not known"]
    assert "against" not in compare([ours], "")

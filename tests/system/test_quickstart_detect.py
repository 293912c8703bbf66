"""The quick start of a detector: its commands, what a second start repeats, and in a long test what it reaches."""

import json
import shutil
import sys

import pytest
from support.project import PROJECT

from src.cli import parse
from src.config import (
    DetectEvalConfig,
    DetectExportConfig,
    DetectPredictConfig,
    DetectTrainConfig,
    ScoreConfig,
    TrainConfig,
)

SCHEMAS = {
    "train.py": TrainConfig,
    "detect.py train": DetectTrainConfig,
    "detect.py eval": DetectEvalConfig,
    "detect.py export": DetectExportConfig,
    "detect.py predict": DetectPredictConfig,
    "postprocess.py": ScoreConfig,
}
RECORDER = f"""#!{sys.executable}
import sys
from pathlib import Path

flags = dict(zip(sys.argv, sys.argv[1:]))
with open("calls.txt", "a") as file:
    print(*sys.argv[1:], sep="\\t", file=file)
made = [f"{{flags['--run_dir']}}/checkpoints/best.ckpt"] if "--run_dir" in flags else []
made += [f"{{flags['--file_name']}}.{{flags['--file_format'].lower()}}"] if "--file_name" in flags else []
for path in map(Path, made):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.exists() or path.touch()
print("{{}}")
"""


@pytest.fixture
def recorded(workspace, tmp_path):
    """Return a function that starts the quick start with programs that only record their arguments."""
    project = tmp_path / "a project"
    for folder in ("config", "scripts"):
        shutil.copytree(PROJECT / folder, project / folder)
    shutil.copy(PROJECT / "pyproject.toml", project)
    programs = {".venv/bin/python": RECORDER, "program": RECORDER, "ascend310_infer/build.sh": "echo ./program"}
    for name, content in programs.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(content)
        (project / name).chmod(0o755)
    shutil.copy(PROJECT / "pyproject.toml", project / ".venv/.installed-demo")

    def start(*flags):
        (project / "calls.txt").write_text("")
        workspace.run("bash", project / "scripts/quickstart.sh", *flags, cwd=tmp_path)
        return [line.split("\t") for line in (project / "calls.txt").read_text().splitlines()]

    return start


def by_name(calls):
    """Return the flags of each command, by the command's name."""
    found = {}
    for script, *words in calls:
        name = f"{script} {words.pop(0)}" if script == "detect.py" else script
        found.setdefault(name, []).append(words)
    return found


def test_every_command_takes_its_flags(recorded, monkeypatch):
    monkeypatch.chdir(PROJECT)
    calls = by_name(recorded("detect", "--epochs", "2"))
    configs = {name: [parse(schema, words) for words in calls.get(name, [])] for name, schema in SCHEMAS.items()}
    assert {name: len(found) for name, found in configs.items()} == dict.fromkeys(SCHEMAS, 1) | {"detect.py export": 2}
    (trained,) = configs["detect.py train"]
    assert trained.epochs == 2 and str(trained.ckpt) == "runs/quickstart/checkpoints/best.ckpt"
    assert {config.file_format for config in configs["detect.py export"]} == {"MINDIR", "ONNX"}
    assert "--draw" in calls["data/digit_scenes/val"][0]  # the C++ program
    assert calls["scripts/quickstart_summary.py"] == [
        ["runs/quickstart_detect", "runs/quickstart_detect/ssdlite_digits"]
    ]


def test_a_second_start_repeats_neither_classifier_nor_exports_nor_the_program(recorded):
    recorded("detect")
    calls = by_name(recorded("detect"))
    assert not {"train.py", "detect.py export", "data/digit_scenes/val", "postprocess.py"} & calls.keys()
    assert "detect.py train" in calls  # which resumes


def test_the_quick_start_of_classifiers_is_as_before(recorded):
    assert list(by_name(recorded())) == [
        "train.py",
        "eval.py",
        "export.py",
        "predict.py",
        "scripts/quickstart_summary.py",
    ]


def test_another_word_is_refused(workspace):
    words = "usage: quickstart.sh [detect [--FLAG VALUE ...]]; got detector"
    workspace.fails("bash", workspace.folder / "scripts/quickstart.sh", "detector", words=words)


@pytest.mark.long
def test_the_detector_reaches_its_accuracy_and_the_program_sees_the_same(workspace):
    workspace.run("bash", "scripts/quickstart.sh", "detect")
    run = workspace.folder / "runs/quickstart_detect"
    score, program = (json.loads((run / name).read_text()) for name in ("eval.json", "cpp/score.json"))
    assert score["images"] == 200 and score["ap"] >= 50 and score["ap50"] >= 75
    assert program["ap"] == pytest.approx(score["ap"], abs=0.05)
    assert (run / "objects.png").stat().st_size > 100_000 and len(list((run / "cpp/drawn").rglob("*.png"))) == 200

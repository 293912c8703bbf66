"""The quick start, run once as a user runs it, and what its checkpoint is good for."""

import csv
import json

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

BEST = "runs/quickstart/checkpoints/best.ckpt"


def metrics(run):
    """The rows of a run's metrics.csv."""
    with open(run / "metrics.csv", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def run(quickstart):
    """The folder of the quick start's run."""
    return quickstart[0].folder / "runs/quickstart"


@pytest.fixture
def score(run):
    """Return the result of eval.py for the best weights."""
    return json.loads((run / "eval.json").read_text())


def test_the_network_reaches_its_accuracy(quickstart, score):
    assert score["images"] == 360 and score["top1"] >= 97.5 and score["model"] == "tinynet_e"
    assert f"{score['top1']:.2f} % top-1 on 360 images" in quickstart[1].stdout


def test_the_averaged_weights_reach_it_too(run):
    rows = metrics(run)
    assert len(rows) == 8 and float(rows[-1]["ema_top1"]) >= 97.5


@pytest.mark.parametrize("name", ["curves.png", "predictions.png"])
def test_a_picture_is_drawn(run, name):
    with Image.open(run / name) as picture:
        assert min(picture.size) > 400 and len(np.unique(np.asarray(picture.convert("L")))) > 50


def test_configuration_and_environment_are_kept(run):
    assert (run / "config.yaml").exists() and "mindspore" in (run / "environment.txt").read_text()


def test_the_embedded_data_is_the_stated_split(quickstart):
    digits = quickstart[0].folder / "data/digits"
    assert len(list(digits.glob("train/*/*.png"))) == 1437
    assert len(list(digits.glob("val/*/*.png"))) == 360
    assert not {p.name for p in digits.glob("train/*/*.png")} & {p.name for p in digits.glob("val/*/*.png")}


def test_a_second_start_reuses_everything(quickstart, run):
    kept = ["checkpoints/last.ckpt", "checkpoints/best.ckpt", "metrics.csv", "tinynet_e_digits.onnx"]
    before = [(run / name).stat().st_mtime_ns for name in kept]
    done = quickstart[0].run("bash", "scripts/quickstart.sh")
    assert "all 8 epochs are done" in done.stderr
    assert [(run / name).stat().st_mtime_ns for name in kept] == before


@pytest.fixture
def best_top1(run):
    """The highest top-1 that training has seen."""
    return max(float(row[key]) for row in metrics(run) for key in ("raw_top1", "ema_top1"))


def test_eval_scores_what_training_scored(quickstart, best_top1):
    done = quickstart[0].run("bash", "scripts/run_eval.sh")  # by default the digits and the quick start's best weights
    assert f"360 images, top-1 {best_top1:.3f} %" in done.stdout


@pytest.mark.parametrize("batch_size", [7, 360])
def test_the_batch_size_does_not_change_the_score(quickstart, door, best_top1, batch_size):
    flags = ("--ckpt", BEST, "--data_path", "digits", "--batch_size", batch_size, "--json")
    result = json.loads(door("eval.py", *flags, cwd=quickstart[0].folder).stdout.splitlines()[-1])
    assert result["images"] == 360 and abs(result["top1"] - best_top1) < 1e-3


def test_weights_travel_to_safetensors_and_back(quickstart, door, score):
    folder = quickstart[0].folder
    door("export.py", "--ckpt", BEST, "--file_format", "SAFETENSORS", "--file_name", "runs/w", cwd=folder)
    tensors = load_file(folder / "runs/w.safetensors")
    assert "blocks.0.0.bn1.running_mean" in tensors and tensors["classifier.weight"].shape == (10, 1280)
    flags = ("--input_size", 48, "--crop_pct", 1, "--data_path", "digits", "--json")
    done = door("eval.py", "--model", "tinynet_e", "--ckpt", "runs/w.safetensors", *flags, cwd=folder)
    assert json.loads(done.stdout.splitlines()[-1]) == score


def test_predict_names_what_it_sees(quickstart, door):
    folder = quickstart[0].folder
    flags = ("--json", "--top_k", 2, "--sheet", "runs/sheet.png")
    done = door("predict.py", "--ckpt", BEST, "data/digits/val", "assets/samples/china.jpg", *flags, cwd=folder)
    results = json.loads(done.stdout)
    assert len(results) == 361 and all(len(result["top"]) == 2 for result in results)
    right = [result["top"][0]["class"] == result["image"].split("/")[-2] for result in results[:360]]
    assert np.mean(right) >= 0.975
    assert (folder / "runs/sheet.png").stat().st_size > 10_000

import csv
import json

import numpy as np
from PIL import Image
from safetensors.numpy import load_file

from src.weights.ckpt import read_ckpt

BEST = "runs/quickstart/checkpoints/best.ckpt"


def metrics(run):
    """The rows of a run's metrics.csv."""
    with open(run / "metrics.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_quickstart_reaches_its_accuracy_and_draws_its_pictures(quickstart):
    workspace, done = quickstart
    run = workspace.folder / "runs/quickstart"
    score = json.loads((run / "eval.json").read_text())
    assert score["images"] == 360 and score["top1"] >= 97.5 and score["model"] == "tinynet_e"
    assert f"{score['top1']:.2f} % top-1 on 360 images" in done.stdout
    for name in ("curves.png", "predictions.png"):
        with Image.open(run / name) as picture:
            assert min(picture.size) > 400 and len(np.unique(np.asarray(picture.convert("L")))) > 50
    rows = metrics(run)
    assert len(rows) == 8 and float(rows[-1]["ema_top1"]) >= 97.5
    assert (run / "config.yaml").exists() and "mindspore" in (run / "environment.txt").read_text()


def test_the_embedded_data_is_the_stated_split(quickstart):
    digits = quickstart[0].folder / "data/digits"
    assert len(list(digits.glob("train/*/*.png"))) == 1437
    assert len(list(digits.glob("val/*/*.png"))) == 360
    assert not {p.name for p in digits.glob("train/*/*.png")} & {p.name for p in digits.glob("val/*/*.png")}


def test_a_second_start_reuses_everything(quickstart):
    workspace, _ = quickstart
    run = workspace.folder / "runs/quickstart"
    kept = ["checkpoints/last.ckpt", "checkpoints/best.ckpt", "metrics.csv", "tinynet_e_digits.onnx"]
    before = [(run / name).stat().st_mtime_ns for name in kept]
    done = workspace.run("bash", "scripts/quickstart.sh")
    assert "all 8 epochs are done" in done.stderr
    assert [(run / name).stat().st_mtime_ns for name in kept] == before


def test_eval_scores_what_training_scored(quickstart):
    workspace, _ = quickstart
    done = workspace.run("bash", "scripts/run_eval.sh")  # defaults: the digits and the quickstart's best weights
    best = max(
        max(float(row["raw_top1"]), float(row["ema_top1"])) for row in metrics(workspace.folder / "runs/quickstart")
    )
    assert f"360 images, top-1 {best:.3f} %" in done.stdout
    for batch_size in (7, 360):
        flags = ("--data_path", "digits", "--batch_size", batch_size, "--json")
        result = json.loads(workspace.run("python", "eval.py", "--ckpt", BEST, *flags).stdout.splitlines()[-1])
        assert result["images"] == 360 and abs(result["top1"] - best) < 1e-3


def test_weights_travel_to_safetensors_and_back(quickstart):
    workspace, _ = quickstart
    workspace.run("python", "export.py", "--ckpt", BEST, "--file_format", "SAFETENSORS", "--file_name", "runs/w")
    tensors = load_file(workspace.folder / "runs/w.safetensors")
    assert "blocks.0.0.bn1.running_mean" in tensors and tensors["classifier.weight"].shape == (10, 1280)
    flags = ("--input_size", 48, "--crop_pct", 1, "--data_path", "digits", "--json")
    done = workspace.run("python", "eval.py", "--model", "tinynet_e", "--ckpt", "runs/w.safetensors", *flags)
    score = json.loads((workspace.folder / "runs/quickstart/eval.json").read_text())
    assert json.loads(done.stdout.splitlines()[-1]) == score


def test_predict_names_what_it_sees(quickstart):
    workspace, _ = quickstart
    flags = ("--json", "--top_k", 2, "--sheet", "runs/sheet.png")
    done = workspace.run("python", "predict.py", "--ckpt", BEST, "data/digits/val", "assets/samples/china.jpg", *flags)
    results = json.loads(done.stdout)
    assert len(results) == 361 and all(len(result["top"]) == 2 for result in results)
    right = [result["top"][0]["class"] == result["image"].split("/")[-2] for result in results[:360]]
    assert np.mean(right) >= 0.975
    assert (workspace.folder / "runs/sheet.png").stat().st_size > 10_000


def test_a_run_goes_on_where_it_ended_and_nothing_is_overwritten(small_workspace, tmp_path):
    workspace = small_workspace
    flags = ["--config", "config/digits.yaml", "--batch_size", 128, "--input_size", 32, "--check_data", "off"]
    run = ("--run_dir", tmp_path / "run")
    workspace.run("python", "train.py", *flags, *run, "--epochs", 1)
    last = tmp_path / "run/checkpoints/last.ckpt"
    before = last.read_bytes()
    workspace.fails("python", "train.py", *flags, *run, words="already holds a run; resume it with --resume auto")
    assert last.read_bytes() == before
    # the schedule does not depend on the number of epochs, so one epoch and then the second must equal two at once
    workspace.run("python", "train.py", *flags, *run, "--epochs", 2, "--resume", "auto")
    workspace.run("python", "train.py", *flags, "--run_dir", tmp_path / "whole", "--epochs", 2)
    states = [read_ckpt(tmp_path / name / "checkpoints/last.ckpt")[0] for name in ("run", "whole")]
    assert [name for name in states[0] if states[0][name].tobytes() != states[1][name].tobytes()] == []
    assert len(metrics(tmp_path / "run")) == 2
    words = "resume: batch_size was 128 and is 64 now; that changes the result"
    workspace.fails("python", "train.py", *flags, *run, "--resume", "auto", "--batch_size", 64, words=words)

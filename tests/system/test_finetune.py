"""Fine-tuning as the documentation shows it: weights that were trained on other classes beat random weights."""

import csv
import shutil

import pytest

DIGITS = ("--input_size", 48, "--crop_pct", 1, "--crop_scale", 0.6, 1, "--hflip", 0, "--color_jitter", 0)


@pytest.fixture(scope="module")
def halves(workspace, tmp_path_factory):
    """Two data sets of five classes each, made of the embedded digits: zero to four, and five to nine."""
    written = workspace.run(
        "python", "-c", "from src.images.digits import write_digits; print(write_digits())"
    ).stdout.splitlines()[-1]
    folder = tmp_path_factory.mktemp("halves")
    for split in ("train", "val"):
        for source in (workspace.folder / written / split).iterdir():
            half = "low" if int(source.name[0]) < 5 else "high"
            shutil.copytree(source, folder / half / split / source.name)
    return folder


def scores(workspace, data, run, *flags):
    """Train TinyNet-E and return its raw top-1 after each epoch."""
    flags = ("--model", "tinynet_e", "--data_path", data, "--run_dir", run, "--check_data", "off", *flags)
    workspace.run("python", "train.py", *flags)
    with open(run / "metrics.csv", newline="") as file:
        return [float(row["raw_top1"]) for row in csv.DictReader(file)]


@pytest.mark.long
def test_trained_weights_beat_none_at_equal_epochs(workspace, halves, tmp_path):
    learnt = scores(workspace, halves / "low", tmp_path / "low", "--config", "config/digits.yaml", "--epochs", 6)
    assert max(learnt) > 90
    flags = ("--config", "config/finetune.yaml", *DIGITS, "--loss_scale", 1, "--epochs", 2)
    best = tmp_path / "low/checkpoints/best.ckpt"
    tuned = scores(workspace, halves / "high", tmp_path / "tuned", *flags, "--ckpt", best)
    scratch = scores(workspace, halves / "high", tmp_path / "scratch", *flags)
    assert tuned[-1] > 85 and tuned[-1] > scratch[-1] + 10
    assert max(tuned) > max(scratch)

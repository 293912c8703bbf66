"""The files that a run leaves in its folder."""

import csv

import numpy as np
import pytest
from PIL import Image

from src.cli import parse
from src.config import TrainConfig
from src.errors import UserError
from src.training.curves import draw_curves
from src.training.run_folder import RunFolder, environment
from src.training.task import Metric

METRIC = Metric("top1", "top-1", "%")


def test_metrics_are_taken_up_where_a_run_goes_on(tmp_path):
    rows = [
        {"epoch": epoch, "lr": 0.1 / epoch, "train_loss": 2.0, **({"raw_top1": 50} if epoch != 2 else {})}
        for epoch in (1, 2, 3)
    ]
    run = RunFolder(tmp_path / "run")
    run.open(TrainConfig(), [], "CPU")
    run.report(rows, METRIC)
    with pytest.raises(UserError, match="is in use by another training"):
        RunFolder(tmp_path / "run").open(TrainConfig(), rows, "CPU")
    run.close()
    again = RunFolder(tmp_path / "run")
    again.open(TrainConfig(), rows[:2], "CPU")
    again.report([*rows[:2], {"epoch": 3, "lr": 0.5, "train_loss": 1.0, "raw_top1": 60}], METRIC)
    with open(tmp_path / "run/metrics.csv", newline="") as file:
        found = [(row["epoch"], row["lr"], row["raw_top1"]) for row in csv.DictReader(file)]
    assert found == [("1", "0.1", "50"), ("2", "0.05", ""), ("3", "0.5", "60")]
    assert {path.name for path in (tmp_path / "run").iterdir()} == {
        ".lock", "checkpoints", "config.yaml", "environment.txt", "train.log", "metrics.csv", "curves.png",
    }  # fmt: skip
    assert "mindspore 2." in environment()
    assert "device CPU, 1 process" in (tmp_path / "run/environment.txt").read_text()


def test_tensorboard_reads_what_was_reported(tmp_path):
    run = RunFolder(tmp_path / "run")
    run.open(TrainConfig(tensorboard=True), [], "CPU")
    run.report([{"epoch": 1, "lr": 0.1, "train_loss": 2.0}], METRIC)
    run.close()
    (events,) = (tmp_path / "run/tensorboard").iterdir()
    content = events.read_bytes()
    assert events.name.startswith("events.out.tfevents") and b"train_loss" in content


def test_curves_show_each_line(tmp_path):
    draw_curves(
        [{"epoch": 1, "lr": 0.1, "train_loss": 2.0}, {"epoch": 2, "lr": 0.05, "train_loss": 1.0}],
        METRIC,
        tmp_path / "a.png",
    )
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (1430, 418)
        assert len(np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3), axis=0)) > 10


@pytest.mark.parametrize("name", ["config.yaml", "metrics.csv", "train.log", "curves.png", "environment.txt"])
def test_a_folder_with_files_of_the_user_is_refused(tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(UserError, match=f"run_dir {tmp_path} holds a {name}, but no run; give another one"):
        RunFolder(tmp_path).open(TrainConfig(), [], "CPU")
    assert (tmp_path / name).read_text() == "mine" and list(tmp_path.iterdir()) == [tmp_path / name]


@pytest.mark.parametrize("name", [".lock", "checkpoints/last.ckpt", "checkpoints/previous-last.ckpt"])
def test_the_folder_of_a_run_is_taken_up_even_if_it_was_copied_without_its_lock(tmp_path, name):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / name).write_text("")
    (tmp_path / "config.yaml").write_text("lr: 1")
    run = RunFolder(tmp_path)
    run.open(TrainConfig(lr=0.5), [], "CPU")
    run.close()
    assert "lr: 0.5" in (tmp_path / "config.yaml").read_text()


def test_the_columns_keep_their_order_where_an_epoch_has_no_speed(tmp_path):
    run = RunFolder(tmp_path)
    run.open(TrainConfig(), [], "CPU")
    run.report([{"epoch": 1, "train_loss": 2.0}, {"epoch": 2, "seconds": 3.5, "train_loss": 1.0}], METRIC)
    run.close()
    assert (tmp_path / "metrics.csv").read_text() == "epoch,seconds,train_loss\n1,,2\n2,3.5,1\n"


def test_a_configuration_that_was_written_is_read_again(tmp_path):
    config = TrainConfig(run_dir=tmp_path, data_path="1e5", ckpt="on", lr=1e-7)
    run = RunFolder(tmp_path)
    run.open(config, [], "CPU")
    run.close()
    assert parse(TrainConfig, ["--config", str(tmp_path / "config.yaml")]) == config

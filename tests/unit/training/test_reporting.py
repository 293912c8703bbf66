import csv

import numpy as np
import pytest
from PIL import Image

from src.config import TrainConfig
from src.training.reporting import RunFolder, draw_curves, duration, environment


@pytest.mark.parametrize("seconds, text", [(4, "4 s"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (273600, "3 d 4 h")])
def test_duration(seconds, text):
    assert duration(seconds) == text


def test_metrics_are_taken_up_where_a_run_goes_on(tmp_path):
    run = RunFolder(tmp_path / "run")
    run.open(TrainConfig())
    for epoch in (1, 2, 3):
        run.add({"epoch": epoch, "lr": 0.1 / epoch, "train_loss": 2.0, **({"raw_top1": 50} if epoch != 2 else {})})
    again = RunFolder(tmp_path / "run")
    again.open(TrainConfig(), epochs_done=2)
    again.add({"epoch": 3, "lr": 0.5, "train_loss": 1.0, "raw_top1": 60})
    with open(tmp_path / "run/metrics.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["epoch"], row["lr"], row["raw_top1"]) for row in rows] == [
        ("1", "0.1", "50"),
        ("2", "0.05", ""),
        ("3", "0.5", "60"),
    ]
    assert {path.name for path in (tmp_path / "run").iterdir()} == {
        "config.yaml", "environment.txt", "train.log", "metrics.csv", "curves.png",
    }  # fmt: skip
    assert "mindspore 2." in environment()


def test_curves_show_each_line(tmp_path):
    draw_curves(
        [{"epoch": 1, "lr": 0.1, "train_loss": 2.0}, {"epoch": 2, "lr": 0.05, "train_loss": 1.0}], tmp_path / "a.png"
    )
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (1430, 418)
        assert len(np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3), axis=0)) > 10

"""Each image has one line of results, in the order of the data set, whatever the batches."""

import csv
from types import SimpleNamespace

import numpy as np
import pytest

from src.classification.metrics import Scores
from src.classification.results import check_results_path, write_results
from src.errors import UserError
from src.images.image_file import PackedImage

FILES = ["/data/val/cat/1.jpg", "/data/val/cat/a,b\n\udce9.jpg", PackedImage("/data/val/shard", "dög/2.jpg", 0, 9)]
IMAGES = SimpleNamespace(root="/data/val", classes=("cat", "dög"), files=FILES, labels=np.array([0, 0, 1]))
SCORES = Scores(
    places=np.zeros(3),
    losses=np.zeros(3),
    classes=np.array([[0, 1], [1, 0], [1, 0]]),
    probabilities=np.array([[0.75, 0.25], [1, 1.25e-9], [0.5, 0.5]]),
)


def test_a_line_has_path_class_and_best_classes(tmp_path):
    write_results(SCORES, IMAGES, tmp_path / "r.csv")
    with open(tmp_path / "r.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    best = [f"top{place}_{key}" for place in (1, 2) for key in ("index", "class", "probability")]
    assert rows == [
        ["path", "class_index", "class", *best],
        ["cat/1.jpg", "0", "cat", "0", "cat", "0.75", "1", "dög", "0.25"],
        ["cat/a,b\n\\udce9.jpg", "0", "cat", "1", "dög", "1", "0", "cat", "1.25e-09"],
        ["dög/2.jpg", "1", "dög", "1", "dög", "0.5", "0", "cat", "0.5"],
    ]


def test_results_replace_results_only(tmp_path):
    path = tmp_path / "r.csv"
    write_results(SCORES, IMAGES, path)
    check_results_path(path)
    check_results_path(tmp_path / "new.csv")
    for text in ("name,price\n", "notes: path,class_index,class,top1_index\n", "path,class_index,class,comment\n"):
        path.write_text(text)
        with pytest.raises(UserError, match="r.csv exists and does not hold results of eval.py; give another name"):
            check_results_path(path)
    with pytest.raises(UserError, match="exists and does not hold results"):
        check_results_path(tmp_path)

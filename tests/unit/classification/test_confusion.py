"""The confusion matrix counts every image once, and its picture fits its classes."""

import numpy as np
import pytest
from PIL import Image

from src.classification.confusion import MOST_CLASSES, check_confusion, confusion_matrix, draw_confusion, numbered
from src.errors import UserError


def test_rows_are_true_and_columns_predicted_classes():
    matrix = confusion_matrix(np.array([0, 0, 2, 2, 2], np.int32), np.array([0, 1, 2, 2, 0]), 3)
    assert matrix.tolist() == [[1, 1, 0], [0, 0, 0], [1, 0, 2]]


@pytest.mark.parametrize("classes, name", [(1, "a"), (3, "$ long " * 20), (MOST_CLASSES, "n01440764 猫")])
def test_the_picture_shows_the_diagonal(tmp_path, classes, name):
    pytest.importorskip("matplotlib", reason="the picture needs matplotlib, an extra")
    draw_confusion(np.eye(classes, dtype=int), [name] * classes, tmp_path / "c.png")
    with Image.open(tmp_path / "c.png") as image:
        dark_blue = (np.asarray(image.convert("RGB")) == (8, 48, 107)).all(2)
    cells = np.flatnonzero(dark_blue.any(0))  # columns of the picture with a diagonal cell, or the end of the scale
    assert len(cells) >= 0.15 * 110 * classes


def test_names_that_look_alike_are_told_apart_by_their_numbers():
    assert numbered(["A", "\u0410", "A"]) == ["0  A", "1  \u0410", "2  A"]
    assert numbered(["0", "1", "2"]) == ["0", "1", "2"]


def test_more_classes_than_a_picture_shows_are_refused(tmp_path):
    with pytest.raises(UserError, match="the data has 101 classes, a picture shows at most 100; take --results"):
        check_confusion(101, tmp_path / "c.png")

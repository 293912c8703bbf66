"""The picture of an evaluation, and which detections it counts as errors."""

import numpy as np
import pytest
from PIL import Image
from support.coco import write_squares

from src.detection.coco import Objects
from src.detection.coco_scores import CocoScores
from src.detection.layout import open_coco
from src.detection.picture import draw_evaluation, find_errors
from src.detection.postprocess import Detections

BOX, OTHER = [0, 0, 10, 10], [50, 50, 70, 70]


def objects(*rows):
    """Return objects of (box, class, crowd)."""
    boxes, classes, crowd = zip(*rows)
    return Objects(np.array(boxes, np.float64), np.array(classes), np.array(crowd, bool))


def detections(*rows):
    """Return detections of (box, class, score)."""
    boxes, classes, scores = zip(*rows) if rows else ((), (), ())
    return Detections(np.array(boxes, np.float32).reshape(-1, 4), np.array(scores), np.array(classes, int))


@pytest.mark.parametrize(
    "found, missed, false",
    [
        ([(BOX, 1, 0.9), (OTHER, 2, 0.8)], [0, 0], [0, 0]),
        ([], [1, 1], []),
        ([(BOX, 2, 0.9)], [1, 1], [1]),  # of another class
        ([(BOX, 1, 0.9), (BOX, 1, 0.8)], [0, 1], [0, 1]),  # found twice
        ([(BOX, 1, 0.4)], [1, 1], [0]),  # not sure
        ([([0, 0, 10, 4], 1, 0.9)], [1, 1], [1]),  # IoU 0.4
    ],
)
def test_errors_are_missed_objects_and_false_detections(found, missed, false):
    errors = find_errors(objects((BOX, 1, 0), (OTHER, 2, 0)), detections(*found))
    assert errors.missed.tolist() == [bool(value) for value in missed]
    assert errors.false.tolist() == [bool(value) for value in false]


def test_a_detection_in_a_crowd_is_no_error_and_a_crowd_is_not_missed():
    assert find_errors(objects((OTHER, 2, 1)), detections(([55, 55, 60, 60], 2, 0.9))).sum == 0


def test_the_picture_has_a_row_of_curves_and_rows_of_images(tmp_path):
    pytest.importorskip("matplotlib", reason="a picture needs matplotlib, an extra")
    images = open_coco(write_squares(tmp_path), "val")
    found = [detections((BOX, 1, 0.9)) for _ in range(len(images))]
    scores = CocoScores(5, {"ap": 12.5}, {}, {"IoU 0.50": [50.0] * 101})
    draw_evaluation(scores, images, found, tmp_path / "plot.png")
    with Image.open(tmp_path / "plot.png") as picture:
        assert picture.size == (1280, 1020)  # two rows of images

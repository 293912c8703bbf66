"""The objects of images as plain values and as text."""

import numpy as np
import pytest

from src.detection.postprocess import Detections
from src.detection.predict import as_result, describe


@pytest.fixture
def result():
    boxes = np.array([[10.25, 20, 40, 60.5], [0, 0, 5, 5]], np.float32)
    found = Detections(boxes, np.array([0.75, 0.25], np.float32), np.array([2, 1]))
    return as_result("photo.jpg", (80, 61), found, ("cat", "dog"))


def test_a_result_counts_classes_from_0_and_has_boxes_as_coco_writes_them(result):
    assert result == {
        "image": "photo.jpg",
        "width": 80,
        "height": 61,
        "objects": [
            {"class": 1, "name": "dog", "score": 0.75, "bbox": [10.25, 20.0, 29.75, 40.5]},
            {"class": 0, "name": "cat", "score": 0.25, "bbox": [0.0, 0.0, 5.0, 5.0]},
        ],
    }


@pytest.mark.parametrize(
    "least, text",
    [
        (0.5, "photo.jpg: dog 75.0% at 10 20 30 40"),
        (0.0, "photo.jpg: dog 75.0% at 10 20 30 40, cat 25.0% at 0 0 5 5"),
        (0.8, "photo.jpg: no objects"),
    ],
)
def test_a_line_shows_the_objects_above_a_score(result, least, text):
    assert describe(result, least) == text

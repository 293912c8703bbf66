"""COCO's numbers of seven cases that were computed by hand, and those of sizes and classes without objects."""

import json

import numpy as np
import pytest

from src.detection.coco import read_coco
from src.detection.coco_scores import score_detections

FIRST, SECOND, THIRD = 10, 25, 7  # ids of categories


@pytest.fixture
def score(tmp_path):
    """Return a function that scores detections (image, category, box, score) against truths (image, category, box)."""

    def run(truths, detections, images=(0, 3), crowds=()):
        rows = [
            {
                "id": number,
                "image_id": image,
                "category_id": category,
                "bbox": box,
                "area": box[2] * box[3],
                "iscrowd": int(number in crowds),
            }
            for number, (image, category, box) in enumerate(truths)
        ]
        content = {
            "images": [{"id": key, "file_name": f"{key}.jpg", "width": 500, "height": 500} for key in images],
            "annotations": rows,
            "categories": [{"id": key, "name": f"class {key}"} for key in (FIRST, SECOND, THIRD)],
        }
        path = tmp_path / "truth.json"
        path.write_text(json.dumps(content))
        found = [[image, *box, value, category] for image, category, box, value in detections]
        return score_detections(read_coco(path, tmp_path), np.array(found, np.float64))

    return run


BOX, OTHER, FAR = [0, 0, 100, 100], [200, 200, 100, 100], [300, 300, 50, 50]


def one(truths, detections):
    """Return truths and detections of the first class in one image."""
    return [(0, FIRST, box) for box in truths], [(0, FIRST, box, value) for box, value in detections]


def test_an_error_between_two_objects(score):
    found = score(
        *one([[10, 10, 100, 100], OTHER], [([10, 10, 100, 100], 0.9), ([400, 10, 50, 50], 0.8), (OTHER, 0.7)])
    )
    expected = 100 * (51 + 50 * 2 / 3) / 101
    assert [found.numbers[name] for name in ("ap", "ap50", "ap75")] == pytest.approx([expected] * 3, abs=1e-7)
    assert found.curves["IoU 0.50"] == pytest.approx([100] * 51 + [200 / 3] * 50, abs=1e-7)
    assert expected == pytest.approx(83.4983498, abs=1e-6)


def test_a_box_counts_up_to_its_overlap(score):
    found = score(*one([BOX], [([0, 0, 100, 82], 0.9)]))
    assert [found.numbers[name] for name in ("ap", "ap50", "ap75")] == pytest.approx([70, 100, 100], abs=1e-7)


def test_a_detection_over_a_crowd_is_no_error(score):
    truths, detections = one([[0, 0, 200, 200], FAR], [([20, 20, 50, 50], 0.9), (FAR, 0.8)])
    assert score(truths, detections, crowds=(0,)).numbers["ap"] == pytest.approx(100, abs=1e-7)


def test_errors_in_images_without_objects_count(score):
    exact = [10, 10, 20, 20]
    detections = [(3, FIRST, [5, 5, 50, 50], 0.95), (0, FIRST, exact, 0.9), (0, FIRST, exact, 0.8)]
    assert score([(0, FIRST, exact)], detections).numbers["ap"] == pytest.approx(50, abs=1e-7)


def test_classes_without_objects_do_not_count(score):
    truths = [(0, FIRST, BOX), (0, SECOND, OTHER)]
    found = score(truths, [(0, FIRST, BOX, 0.9), (0, THIRD, BOX, 0.9)])
    assert found.numbers["ap"] == pytest.approx(50, abs=1e-7)
    assert found.classes == pytest.approx({"class 10": 100, "class 25": 0, "class 7": -1}, abs=1e-7)


@pytest.mark.parametrize("first, expected", [([300, 300, 100, 100], 50), (BOX, 100)])
def test_of_equal_scores_the_first_counts_first(score, first, expected):
    second = BOX if first != BOX else [300, 300, 100, 100]
    assert score(*one([BOX], [(first, 0.9), (second, 0.9)])).numbers["ap"] == pytest.approx(expected, abs=1e-7)


def test_an_overlap_that_is_exactly_reached_counts(score):
    assert score(*one([BOX], [([0, 0, 100, 80], 0.9)])).numbers["ap"] == pytest.approx(70, abs=1e-7)


def test_sizes_without_objects_are_minus_one_and_no_detections_score_nothing(score):
    found = score([(0, FIRST, BOX)], [])
    assert found.numbers["ap"] == 0 and found.numbers["ap_large"] == 0
    assert found.numbers["ap_small"] == found.numbers["ap_medium"] == -1
    assert found.images == 2

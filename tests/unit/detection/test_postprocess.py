"""Post-processing: thresholds, candidates, suppression within classes, and boxes in the pixels of the image."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from src.detection.boxes import overlaps
from src.detection.postprocess import Detections, Rule, detect, suppress

BOXES = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60], [0, 0, 10, 10]], np.float32)


def scores(*rows):
    """Return scores with a background, (anchors, 1 + classes)."""
    given = np.array(rows, np.float32)
    return np.concatenate([1 - given.sum(1, keepdims=True), given], 1)


def test_the_better_of_two_boxes_of_a_class_stays():
    found = detect(BOXES, scores([0.5, 0], [0.7, 0], [0.2, 0], [0, 0]))
    assert found.boxes.tolist() == [[1, 0, 11, 10], [50, 50, 60, 60]]
    np.testing.assert_allclose(found.scores, [0.7, 0.2])
    assert found.classes.tolist() == [1, 1]


def test_classes_do_not_suppress_each_other():
    found = detect(BOXES, scores([0.5, 0.3], [0.2, 0.4], [0, 0], [0, 0]))
    assert found.classes.tolist() == [1, 2]
    assert found.boxes.tolist() == [[0, 0, 10, 10], [1, 0, 11, 10]]


def test_scores_at_the_threshold_are_no_candidates():
    assert len(detect(BOXES, scores([0.5, 0], [0, 0], [0.25, 0], [0, 0]), Rule(score=0.25)).scores) == 1


def test_of_equal_scores_the_lower_anchor_and_class_come_first():
    equal = scores([0.25, 0.25], [0, 0], [0.25, 0.25], [0, 0])
    found = detect(BOXES, equal, Rule(candidates=3))
    assert found.classes.tolist() == [1, 2, 1]
    assert found.boxes[:, 0].tolist() == [0, 0, 50]


def test_objects_are_limited():
    many = np.stack([np.arange(0, 400, 20), np.zeros(20), np.arange(10, 410, 20), np.full(20, 9)], 1).astype(np.float32)
    found = detect(many, scores(*[[0.01 * index + 0.1] for index in range(20)]), Rule(detections=7))
    assert found.boxes[:, 0].tolist() == [380, 360, 340, 320, 300, 280, 260]


def test_boxes_return_to_the_pixels_of_the_image():
    boxes = np.array([[16, 8, 32, 24]], np.float32)
    found = Detections(boxes, np.ones(1), np.ones(1)).scaled(32, 640, 400)
    assert found.boxes.tolist() == [[320, 100, 640, 300]]


def test_nothing_is_found_in_an_empty_image():
    found = detect(BOXES, scores([0, 0], [0, 0], [0, 0], [0, 0]))
    assert found.boxes.shape == (0, 4) and len(found.classes) == 0


places = st.tuples(st.floats(0, 50), st.floats(0, 50), st.floats(1, 40), st.floats(1, 40), st.integers(0, 2))


@given(st.lists(places, max_size=15), st.floats(0.1, 0.9))
@settings(max_examples=30)
def test_suppression_keeps_boxes_apart_and_loses_none_without_a_reason(drawn, limit):
    boxes = np.array([(x, y, x + w, y + h) for x, y, w, h, _ in drawn]).reshape(-1, 4)
    classes = np.array([label for *_, label in drawn], int)
    kept = suppress(boxes, classes, limit)
    shared = (overlaps(boxes, boxes) > limit) & (classes[:, None] == classes)
    assert not any(shared[i, j] for i in kept for j in kept if i < j)
    lost = set(range(len(boxes))) - set(kept.tolist())
    assert all(any(shared[i, j] for i in kept if i < j) for j in lost)

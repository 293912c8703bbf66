"""Matching of anchors with objects equals torchvision's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.detection import SSDLITE_320, TORCHVISION, golden_truths

from src.detection.anchors import anchor_boxes
from src.detection.boxes import decode, overlaps
from src.detection.matching import match, targets

ANCHORS = anchor_boxes(SSDLITE_320)


@pytest.mark.parametrize("image", range(4))  # with 1, 3, 6 and no objects; two of the third have the same best anchor
def test_matches_are_those_of_torchvision(image):
    np.testing.assert_array_equal(match(golden_truths(image)[0], ANCHORS), TORCHVISION["matched"][image])


def test_of_two_objects_with_the_same_best_anchor_the_later_one_gets_it():
    anchors = np.array([[0.0, 0, 10, 10], [100, 100, 110, 110]])
    both = np.array([[0.0, 0, 9, 9], [0, 0, 8, 8]])
    np.testing.assert_array_equal(match(both, anchors), [1, -1])


def test_targets_hold_class_and_code():
    boxes, classes = golden_truths(1)
    found = targets(boxes, classes, ANCHORS)
    matched = TORCHVISION["matched"][1]
    np.testing.assert_array_equal(found.labels, np.where(matched >= 0, classes[matched], 0))
    positive = matched >= 0
    np.testing.assert_allclose(decode(found.codes, ANCHORS)[positive], boxes[matched[positive]], atol=1e-3)
    assert not found.codes[~positive].any()


def test_an_image_without_objects_is_background():
    found = targets(np.zeros((0, 4), np.float32), np.zeros(0, np.int64), ANCHORS)
    assert not found.labels.any() and found.labels.dtype == np.int32 and found.codes.shape == (3234, 4)


places = st.tuples(st.floats(0, 250), st.floats(0, 250), st.floats(5, 70), st.floats(5, 70))


@given(st.lists(places, min_size=1, max_size=5))
@settings(max_examples=30)
def test_every_object_has_an_anchor_unless_a_later_one_took_it(drawn):
    boxes = np.array([(x, y, x + w, y + h) for x, y, w, h in drawn], np.float32)
    matched, found = match(boxes, ANCHORS), overlaps(boxes, ANCHORS)
    for index in range(len(boxes)):
        assert matched[found[index].argmax()] >= index
    chosen = np.flatnonzero(matched >= 0)
    forced = set(found.argmax(1))
    assert all(found[matched[anchor], anchor] >= 0.5 for anchor in chosen if anchor not in forced)

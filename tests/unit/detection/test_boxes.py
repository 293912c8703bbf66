"""Overlaps of boxes, and their codes, which equal those of torchvision."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from support.detection import SSDLITE_320, TORCHVISION, golden_truths

from src.detection.anchors import anchor_boxes
from src.detection.boxes import clip, decode, encode, overlaps

sides = st.floats(0.5, 300)
corners = st.floats(-100, 300)
box = st.tuples(corners, corners, sides, sides).map(lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3]))
boxes = st.lists(box, min_size=1, max_size=6).map(lambda found: np.array(found, np.float64))


def test_an_overlap_counts_lengths_without_a_pixel_more():
    found = overlaps(np.array([[0.0, 0, 10, 10]]), np.array([[5.0, 5, 15, 15], [20, 20, 30, 30], [0, 0, 10, 10]]))
    np.testing.assert_allclose(found, [[25 / 175, 0, 1]])


def test_boxes_without_area_overlap_nothing():
    point = np.array([[3.0, 3, 3, 3]])
    assert overlaps(point, point) == 0


@given(boxes, boxes)
@settings(max_examples=30)
def test_overlaps_are_symmetric_shares(first, second):
    found = overlaps(first, second)
    assert found.min() >= 0 and found.max() <= 1 + 1e-12
    np.testing.assert_allclose(found, overlaps(second, first).T)


def test_codes_are_those_of_torchvision():
    first = golden_truths(1)[0][0]
    anchors = anchor_boxes(SSDLITE_320)
    codes = encode(np.broadcast_to(first, anchors.shape), anchors)
    np.testing.assert_allclose(codes, TORCHVISION["enc"], atol=1e-4, rtol=1e-5)


def test_decoded_boxes_are_those_of_torchvision():
    decoded = decode(TORCHVISION["reg"][0], anchor_boxes(SSDLITE_320))
    np.testing.assert_allclose(decoded, TORCHVISION["dec"], atol=1e-3, rtol=1e-5)


@given(box, box)
def test_a_decoded_code_is_its_box(first, anchor):
    first, anchor = np.array([first]), np.array([anchor])
    if ((first[:, 2:] - first[:, :2]) < 62 * (anchor[:, 2:] - anchor[:, :2])).all():
        np.testing.assert_allclose(decode(encode(first, anchor), anchor), first, atol=1e-6)


def test_a_size_grows_at_most_62_times():
    huge = decode(np.array([[0.0, 0, 500, 500]]), np.array([[0.0, 0, 2, 2]]))
    np.testing.assert_allclose(huge, [[-61.5, -61.5, 63.5, 63.5]])


def test_boxes_are_clipped_to_the_image():
    np.testing.assert_array_equal(clip(np.array([[-5.0, 2, 30, 50]]), 20, 40), [[0, 2, 20, 40]])

"""Anchors equal those of torchvision's ssdlite320."""

import numpy as np
import pytest
from support.detection import SSDLITE_320

from src.design.detector import Detector
from src.design.families import ARCHITECTURES
from src.detection.anchors import anchor_boxes

FIRST = [  # torchvision, pixels
    (-24, -24, 40, 40),
    (-34.332, -34.332, 50.332, 50.332),
    (-37.2548, -14.6274, 53.2548, 30.6274),
    (-14.6274, -37.2548, 30.6274, 53.2548),
    (-47.4256, -10.4752, 63.4256, 26.4752),
    (-10.4752, -47.4256, 26.4752, 63.4256),
]
SUMS = (370_975.7, 370_975.7, 663_904.3, 663_904.4)


def test_anchors_are_those_of_torchvision():
    anchors = anchor_boxes(SSDLITE_320)
    assert anchors.shape == (3234, 4) and anchors.dtype == np.float32
    np.testing.assert_allclose(anchors[:6], FIRST, atol=1e-4)
    np.testing.assert_allclose(anchors.sum(0, dtype=np.float64), SUMS, atol=0.1)
    assert (anchors.min(), anchors.max()) == pytest.approx((-106.7, 426.7), abs=0.05)


@pytest.mark.parametrize("size, count", [(320, 3234), (224, 1602), (192, 1170)])
def test_the_number_of_anchors_follows_from_the_maps(size, count):
    detector = Detector(ARCHITECTURES["tinynet_d"].at(size), 80)
    assert len(anchor_boxes(detector)) == detector.anchors == count


def test_no_anchor_is_larger_than_the_image():
    anchors = anchor_boxes(SSDLITE_320)
    assert (anchors[:, 2:] - anchors[:, :2]).max() == pytest.approx(320, abs=1e-4)


def test_scales_and_ratios_are_settings():
    detector = Detector(ARCHITECTURES["tinynet_e"].at(100), 3, scales=(0.1, 0.6), ratios=(4.0,))
    first, last = anchor_boxes(detector)[[0, -4]]
    assert first[2] - first[0] == pytest.approx(10, abs=1e-4)
    assert last[2] - last[0] == pytest.approx(60, abs=1e-4)
    wide = anchor_boxes(detector)[2]
    assert (wide[2] - wide[0]) / (wide[3] - wide[1]) == pytest.approx(4, abs=1e-4)

"""Exported detectors: boxes and scores of the network in every kind of file, and the description beside it."""

import json

import mindspore as ms
import numpy as np
import pytest
from support.exporting import ANY_BATCH, NAMES

from src.deploy.deployed_network import as_input
from src.deploy.detector import BOX_TOLERANCE, SCORE_TOLERANCE
from src.deploy.verification import run_file
from src.detection.anchors import anchor_boxes
from src.detection.network import BoxesAndScores
from src.images.preprocess import Preprocess

PREPROCESS = Preprocess(64, 1.0)


@pytest.fixture(scope="module")
def expected(detector):
    """Return three images, uint8, with the boxes and scores that the network itself computes."""
    pixels = np.random.RandomState(3).randint(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    outputs = BoxesAndScores(detector[0])(ms.Tensor(PREPROCESS.normalize(pixels)))
    return pixels, [values.asnumpy() for values in outputs]


@pytest.mark.parametrize("file_format", ["MINDIR", "ONNX"])
@pytest.mark.parametrize("size", [1, 3])
def test_a_file_for_any_batch_computes_boxes_and_scores_of_the_network(exported_detector, expected, file_format, size):
    pixels, (boxes, scores) = expected
    found = run_file(exported_detector(file_format, ANY_BATCH), as_input(pixels[:size], PREPROCESS, "float32"))
    assert [values.dtype for values in found] == [np.float32, np.float32]
    assert np.abs(found[0] - boxes[:size]).max() <= 1e-5 * 64
    assert np.abs(found[1] - scores[:size]).max() <= 1e-4


def test_boxes_are_far_from_their_anchors_and_within_the_image(detector, expected):
    boxes, _ = expected[1]
    assert np.abs(boxes - anchor_boxes(detector[0].detector)).max() > 20
    assert boxes.min() == 0 and boxes.max() == 64


def test_the_description_says_how_to_use_boxes_and_scores(exported_detector, detector):
    for file_format in ("MINDIR", "ONNX"):
        path = exported_detector(file_format, ANY_BATCH)
    described, count = json.loads(path.with_suffix(".json").read_text()), detector[0].detector.anchors
    assert described["task"] == "detection" and "output" not in described
    assert described["outputs"] == [
        {"name": "boxes", "shape": ["batch", count, 4], "type": "float32"},
        {"name": "scores", "shape": ["batch", count, 5], "type": "float32"},
    ]
    assert described["preprocess"] == {
        "resize": {"width": 64, "height": 64, "interpolation": "bilinear", "antialias": True},
        "scale": 1 / 255, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225],
    }  # fmt: skip
    assert (described["num_classes"], described["classes"]) == (4, NAMES)
    assert described["postprocess"] == {"min_score": 0.01, "candidates": 300, "nms_overlap": 0.55, "max_objects": 100}
    assert sorted(described["files"]) == ["a net.mindir", "a net.onnx"]
    for entry in described["files"].values():
        assert entry["largest_difference"]["boxes"] <= BOX_TOLERANCE["ONNX", "fp32"]
        assert entry["largest_difference"]["scores"] <= SCORE_TOLERANCE["ONNX", "fp32"]

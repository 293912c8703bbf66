"""detect.py export by its door: the file finds what detect.py predict finds, and mistakes are one line."""

import json

import numpy as np
import pytest
from support.exporting import cut, trained_detector
from support.project import photograph

from src.deploy.verification import run_onnx
from src.detection.boxes import coco_boxes
from src.detection.pipeline import stretched
from src.detection.postprocess import Rule, detect
from src.images.preprocess import Preprocess

RULE = ("--min_score", 0, "--candidates", 5, "--max_objects", 1)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """The checkpoint of a small detector."""
    folder = tmp_path_factory.mktemp("weights")
    trained_detector(folder, cut("tinynet_e", repeats=1), size=48)
    return folder / "w.ckpt"


def test_an_exported_file_finds_what_predict_finds(door, weights, tmp_path):
    image, path = tmp_path / "photo.png", tmp_path / "net.onnx"
    picture = photograph(90, 60)
    picture.save(image)
    flags = ("--ckpt", weights, "--device_target", "CPU", *RULE)
    exported = door("detect.py", "export", *flags, "--file_format", "ONNX", "--file_name", path, "--images", image)
    assert "net.onnx: verified on 1 images, largest difference" in exported.stderr
    predicted = door("detect.py", "predict", image, *flags, "--cpu_kernels", "off", "--json")
    ((expected,),) = (found["objects"] for found in json.loads(predicted.stdout.splitlines()[-1]))

    described = json.loads((tmp_path / "net.json").read_text())
    rule = described["postprocess"]
    assert rule == {"min_score": 0, "candidates": 5, "nms_overlap": 0.55, "max_objects": 1}
    boxes, scores = run_onnx(path, Preprocess(48, 1.0).normalize(stretched(picture, 48))[None])
    found = detect(boxes[0], scores[0], Rule(*rule.values())).scaled(48, 90, 60)
    assert (expected["class"], expected["name"]) == (found.classes[0] - 1, described["classes"][found.classes[0] - 1])
    assert expected["score"] == pytest.approx(float(found.scores[0]), abs=1e-4)
    np.testing.assert_allclose(expected["bbox"], coco_boxes(found.boxes)[0], atol=1e-5 * 90)


@pytest.mark.parametrize(
    "flags, words",
    [
        ((), "ckpt is missing: give a detector with --ckpt FILE"),
        (("--ckpt", "no.ckpt"), "no.ckpt"),
        (("--ckpt", "no.ckpt", "--names", "zoo"), "unknown flag '--names'"),
    ],
)
def test_mistakes_are_one_line(refused, flags, words):
    refused("detect.py", "export", *flags, "--device_target", "CPU", words=words)

"""The JSON beside a file says what a program needs to use it."""

import hashlib
import json

import pytest
from support.exporting import ANY_BATCH, NAMES, PIXELS, UNFOLDED

from src.deploy.description import weights_hash


@pytest.fixture(scope="module")
def files(exported):
    """The files of both formats with the same flags."""
    return [exported(file_format, ANY_BATCH) for file_format in ("MINDIR", "ONNX")]


@pytest.fixture(scope="module")
def description(files):
    return json.loads(files[0].with_suffix(".json").read_text())


def entry_of(path):
    return json.loads(path.with_suffix(".json").read_text())["files"][path.name]


def test_model_and_classes_are_those_of_the_checkpoint(description):
    assert description["model"] == "cut"
    assert description["classes"] == NAMES
    assert description["num_classes"] == 4


def test_input_and_output_are_described(description):
    assert description["input"] == {"name": "image", "size": 64, "color": "RGB"}
    assert description["output"] == {"name": "logits", "shape": ["batch", 4], "type": "float32"}


def test_preprocessing_is_described(description):
    preprocess = description["preprocess"]
    assert preprocess["resize"]["short_side"] == 73
    assert preprocess["crop"]["size"] == 64
    assert preprocess["mean"] == [0.485, 0.456, 0.406]


def test_weights_are_those_of_the_network(trained, description):
    assert description["weights_sha256"] == weights_hash(trained[0])


def test_formats_of_one_network_share_a_description(description, files):
    assert list(description["files"]) == [path.name for path in files]


def test_checksums_are_those_of_the_files(files):
    for path in files:
        assert entry_of(path)["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_largest_difference_is_described(files):
    for path in files:
        assert 0 <= entry_of(path)["largest_difference"] <= 1e-4


def test_a_file_for_any_batch_is_described(files):
    entry = entry_of(files[1])
    del entry["sha256"], entry["largest_difference"]
    assert entry == {
        "format": "ONNX", "precision": "fp32", "batch_size": "any", "folded": True,
        "input": {"type": "float32", "layout": "NCHW", "shape": ["batch", 3, 64, 64]},
    }  # fmt: skip


def test_a_file_for_pixels_is_described(exported):
    entry = entry_of(exported("MINDIR", PIXELS))
    assert entry["batch_size"] == 2
    assert entry["input"] == {"type": "uint8", "layout": "NHWC", "shape": [2, 64, 64, 3]}


def test_a_file_that_is_not_folded_says_so(exported):
    assert entry_of(exported("ONNX", UNFOLDED))["folded"] is False

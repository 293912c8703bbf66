"""Verification sees a difference of logits, and a file with other logits is not written."""

import shutil

import mindspore as ms
import numpy as np
import pytest
from support.exporting import ANY_BATCH, export

from src.deploy import float_file
from src.deploy.classifier import TOLERANCE
from src.deploy.output import Differences, Output
from src.deploy.verification import SAMPLES, pixels_of, run_file
from src.errors import UserError
from src.images.preprocess import Preprocess

PREPROCESS = Preprocess(64)
LOGITS = Output("logits", (4,), {("ONNX", "fp32"): 0.01}, "of the largest logit")


@pytest.fixture(scope="module")
def outputs(trained, exported):
    """Return the logits of a file and those of the network, for the same images."""
    images = PREPROCESS.normalize(pixels_of(SAMPLES, 8, PREPROCESS.pixels, "images"))
    return run_file(exported("ONNX", ANY_BATCH), images), [trained[0](ms.Tensor(images)).asnumpy()]


def differences(*batches, outputs=(LOGITS,)):
    found = Differences(outputs)
    for batch in batches:
        found.add(*batch)
    return found


def test_an_exported_file_hardly_differs(outputs):
    assert differences(outputs).values["logits"] <= 1e-5


def test_other_logits_differ(outputs):
    (found,), expected = outputs
    assert differences(([found[::-1]], expected)).values["logits"] > 1e-3


def test_another_number_of_classes_differs_infinitely(outputs):
    (found,), expected = outputs
    assert differences(([found[:, :2]], expected)).values["logits"] == float("inf")


def test_another_number_of_outputs_differs_infinitely(outputs):
    found, expected = outputs
    assert differences((found * 2, expected)).values["logits"] == float("inf")


def test_differences_are_shares_of_the_largest_value_or_of_a_given_one():
    boxes = Output("boxes", (1,), {}, "of the side", scale=200)
    batches = [([np.array([first]), np.array([3.0])], [np.array([4.0]), np.array([-5.0])]) for first in (5.0, 6.0)]
    found = differences(*batches, outputs=(boxes, LOGITS))
    assert found.values == {"boxes": 0.01, "logits": 1.6}
    assert found.entry() == {"boxes": 0.01, "logits": 1.6}
    assert str(found) == "0.01 of the side, 1.6 of the largest logit"


@pytest.mark.parametrize("value", [1.1, float("inf"), float("nan")])
def test_a_difference_above_the_tolerance_is_refused(tmp_path, value):
    expected = [np.array([1.0])]
    found = differences(([np.array([value])], expected), (expected, expected))
    with pytest.raises(UserError, match="net.onnx was not written: its logits differ by .*, more than 0.01"):
        found.check(("ONNX", "fp32"), tmp_path / "net.onnx")


def test_a_file_with_other_logits_leaves_the_earlier_file(trained, exported, tmp_path, monkeypatch):
    file = exported("ONNX", ANY_BATCH)
    monkeypatch.setattr(float_file, "_export", lambda config, model, path: shutil.copy(file, path))
    monkeypatch.setitem(TOLERANCE, ("ONNX", "fp32"), -1)
    shutil.copy(file.with_suffix(".json"), tmp_path)  # it lists the file as an earlier export
    (tmp_path / file.name).write_text("what was there before")

    with pytest.raises(UserError, match=f"{file.name} was not written: its logits differ"):
        export(trained[1], "--file_format", "ONNX", "--file_name", tmp_path / file.stem)

    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{file.stem}.json", file.name]
    assert (tmp_path / file.name).read_text() == "what was there before"


def test_images_are_spread_over_a_folder(image_folder):
    crops = pixels_of(image_folder / "train", 4, PREPROCESS.pixels, "images")
    chosen = [image_folder / f"train/{name}.jpg" for name in ("cat/0", "cat/3", "dog/0", "dog/3")]
    for crop, path in zip(crops, chosen, strict=True):
        assert (crop == PREPROCESS.pixels(path)).all()


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(UserError, match=f"images: {tmp_path} is neither an image nor a folder of images"):
        pixels_of(tmp_path, 4, PREPROCESS.pixels, "images")


def test_a_bad_image_is_refused(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"no image")
    with pytest.raises(UserError, match="images: .*a.jpg: not an image"):
        pixels_of(tmp_path / "a.jpg", 4, PREPROCESS.pixels, "images")

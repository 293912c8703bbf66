"""Verification sees a difference of logits, and a file with other logits is not written."""

import shutil

import mindspore as ms
import pytest
from support.exporting import ANY_BATCH, export

from src.deploy import float_file
from src.deploy.verification import TOLERANCE, check_difference, crops_of, difference, verification_pixels
from src.errors import UserError
from src.images.preprocess import Preprocess

PREPROCESS = Preprocess(64)


@pytest.fixture(scope="module")
def reference(trained, exported):
    """Return a file, its input, and the network's logits."""
    images = PREPROCESS.normalize(verification_pixels(PREPROCESS))
    return exported("ONNX", ANY_BATCH), images, trained[0](ms.Tensor(images)).asnumpy()


def test_an_exported_file_hardly_differs(reference):
    path, images, logits = reference
    assert difference(path, images, logits) <= 1e-5


def test_other_logits_differ(reference):
    path, images, logits = reference
    assert difference(path, images, logits[::-1]) > 1e-3


def test_another_number_of_classes_differs_infinitely(reference):
    path, images, logits = reference
    assert difference(path, images, logits[:, :2]) == float("inf")


@pytest.mark.parametrize("largest", [0.1, float("inf"), float("nan")])
def test_a_difference_above_the_tolerance_is_refused(tmp_path, largest):
    with pytest.raises(UserError, match="net.onnx was not written: its logits differ by .*, more than 0.01"):
        check_difference(largest, 0.01, tmp_path / "net.onnx")


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
    crops = crops_of(image_folder / "train", 4, PREPROCESS, "images")
    chosen = [image_folder / f"train/{name}.jpg" for name in ("cat/0", "cat/3", "dog/0", "dog/3")]
    for crop, path in zip(crops, chosen, strict=True):
        assert (crop == PREPROCESS.pixels(path)).all()


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(UserError, match=f"images: {tmp_path} is neither an image nor a folder of images"):
        crops_of(tmp_path, 4, PREPROCESS, "images")


def test_a_bad_image_is_refused(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"no image")
    with pytest.raises(UserError, match="images: .*a.jpg: not an image"):
        crops_of(tmp_path / "a.jpg", 4, PREPROCESS, "images")

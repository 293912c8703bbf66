"""8-bit ONNX files: signed weights, unsigned activations, a quarter of the size, nearly the same logits."""

import json

import numpy as np
import onnx
import pytest
from support.exporting import ANY_BATCH, NAMES, export
from support.project import photograph

from src.deploy.verification import pixels_of, run_onnx
from src.errors import UserError
from src.images.preprocess import Preprocess


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """train/ and val/, with pictures of four classes."""
    folder = tmp_path_factory.mktemp("images")
    for split, count in (("train", 4), ("val", 2)):
        for label, name in enumerate(NAMES):
            (folder / split / name).mkdir(parents=True)
            for index in range(count):
                photograph(80, 70, 10 * label + index).save(folder / split / name / f"{split}{index}.png")
    return folder


@pytest.fixture(scope="module")
def files(exported, images):
    """The 8-bit file, and the float file of the same network."""
    scored = ("--calibration", images / "train", "--data_path", images)
    return exported("ONNX", ("--batch_size", 0, "--precision", "int8", *scored)), exported("ONNX", ANY_BATCH)


def test_weights_are_signed_with_a_scale_a_channel_and_activations_unsigned(files):
    model = onnx.load(files[0])
    assert model.opset_import[0].version == 13
    stored = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    kernels = {name: value for name, value in stored.items() if value.dtype == np.int8 and value.ndim == 4}
    assert len(kernels) == 16  # every convolution's
    for name, value in kernels.items():
        assert stored[name.removesuffix("_quantized") + "_scale"].shape == (value.shape[0],)
        assert np.abs(value.astype(int)).max() <= 64  # 7 bits
    zero_points = [stored[node.input[2]] for node in model.graph.node if node.op_type == "QuantizeLinear"]
    assert zero_points and all(value.dtype == np.uint8 for value in zero_points)


def bytes_of_weights(path):
    return sum(onnx.numpy_helper.to_array(tensor).nbytes for tensor in onnx.load(path).graph.initializer)


def test_it_is_small_and_nearly_right(files, images):
    small, whole = files
    assert bytes_of_weights(small) < 0.4 * bytes_of_weights(whole)
    preprocess = Preprocess(64)
    batch = preprocess.normalize(pixels_of(images / "val", 8, preprocess.pixels, "images"))[:3]
    (expected,), (found,) = run_onnx(whole, batch), run_onnx(small, batch)
    assert 0 < np.abs(found - expected).max() < 0.25 * np.abs(expected).max()


def test_the_description_says_how_it_compares(files):
    about = json.loads(files[0].with_suffix(".json").read_text())["files"]["a net.onnx"]
    against = about["against_float"]
    assert about["precision"] == "int8" and about["folded"]
    assert against["images"] == 8 and against["bytes"] == files[0].stat().st_size
    assert against["largest_difference"] == pytest.approx(about["largest_difference"], rel=0.1)
    for key in ("top1", "float_top1", "agreement"):
        assert against[key] * 8 / 100 == int(against[key] * 8 / 100)
    assert {path.name for path in files[0].parent.iterdir()} == {"a net.onnx", "a net.json"}


def test_an_empty_folder_of_calibration_images_is_refused(trained, images, tmp_path):
    flags = ("--file_format", "ONNX", "--precision", "int8", "--file_name", tmp_path / "net")
    with pytest.raises(UserError, match=f"calibration: {tmp_path} is neither an image nor a folder of images"):
        export(trained[1], *flags, "--calibration", tmp_path)
    assert not list(tmp_path.iterdir())

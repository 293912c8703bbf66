"""The C++ program: its unit tests with sanitizers, and on a test double of MindSpore Lite the whole program.

The double computes sums of pixels, no network, on no Ascend: it shows what is called how, and that pixels arrive.
"""

import json

import numpy as np
import pytest
from support.project import photograph

from src.images.preprocess import Preprocess

CLASSES, SIZE = 4, 32


@pytest.fixture
def ctest(workspace, sanitized_classifier):
    """Runs some of the unit tests."""

    def run(*chosen):
        options = ("--test-dir", sanitized_classifier.parent, "--output-on-failure", "--no-tests=error")
        return workspace.run("ctest", *options, *chosen).stdout

    return run


def test_units_with_sanitizers(ctest):
    assert "100% tests passed" in ctest("--exclude-regex", "lite")


@pytest.fixture
def lite_program(lite_home, sanitized_classifier):
    if not lite_home[0]:
        pytest.skip(lite_home[1])
    return sanitized_classifier


@pytest.mark.usefixtures("lite_program")
def test_contract_with_mindspore_lite(ctest):
    assert "100% tests passed" in ctest("--tests-regex", "lite")


@pytest.fixture
def model(tmp_path):
    """model.mindir of the double and model.json, for the images of a folder."""
    rule = Preprocess(size=SIZE)
    described = {
        "model": "tinynet_e",
        "num_classes": CLASSES,
        "classes": ["cat", "dog", "cow", "hen"],
        "preprocess": {
            "resize": {"short_side": rule.resize},
            "crop": {"size": SIZE},
            "mean": rule.mean,
            "std": rule.std,
        },
    }
    (tmp_path / "model.json").write_text(json.dumps(described))

    def write(text):
        (tmp_path / "model.mindir").write_text(text)
        return tmp_path / "model.mindir"

    return write


def sums(values):
    """Return the logits that the double computes from an image."""
    flat = np.asarray(values, np.float64).ravel()
    return [flat[c::CLASSES].sum() for c in range(CLASSES)]


@pytest.mark.parametrize("device", ["CPU", "Ascend"])
def test_a_folder_of_images_through_the_whole_program(workspace, lite_program, model, image_folder, tmp_path, device):
    if device == "Ascend":
        text = f"input=-1,{SIZE},{SIZE},3\ntype=uint8\noutput=-1,{CLASSES}\ngears=1;4"
    else:
        text = f"input=-1,3,{SIZE},{SIZE}\noutput=-1,{CLASSES}"
    (image_folder / "train/cat/broken.jpg").write_bytes(b"no image")
    flags = ["--device_type", device, "--batch_size", 4, "--format", "bin", "--output", tmp_path / "out"]
    done = workspace.run(lite_program, "--mindir_path", model(text), "--dataset_path", image_folder / "train", *flags)
    assert f"MindSpore Lite, {device}" in done.stderr and "train/cat/broken.jpg: neither a JPEG" in done.stderr
    rule, found = Preprocess(size=SIZE), sorted((tmp_path / "out").glob("*/*.bin"))
    assert len(found) == 12
    for file in found:
        name = file.relative_to(tmp_path / "out").with_name(file.name.replace("_0.bin", ".jpg"))
        pixels = rule.pixels(image_folder / "train" / name)
        expected = sums(pixels if device == "Ascend" else rule.normalize(pixels))
        np.testing.assert_allclose(np.fromfile(file, np.float32), expected, rtol=1e-5, atol=2e-3)
    calls = (tmp_path / "model.mindir.calls").read_text().splitlines()
    resized = [line for line in calls if line.startswith("Resize")]  # 13 images; batches may be computed in any order
    assert resized[0] == "Resize 4" and set(resized) == {"Resize 4", "Resize 1"}


def test_a_mistake_is_one_line(workspace, lite_program, model, tmp_path):
    photograph(50, 40).save(tmp_path / "good.jpg")
    for text, words in (("fail=Build", "told to fail at Build"), ("input=1,3,9,9", "has 9 pixels a side")):
        flags = ["--device_type", "CPU", tmp_path / "good.jpg"]
        workspace.fails(lite_program, "--model_path", model(text), *flags, words=words)


@pytest.mark.usefixtures("sanitized_classifier")  # skips without a compiler
def test_a_folder_that_is_no_package_is_named(workspace, tmp_path):
    done = workspace.run("bash", "ascend310_infer/build.sh", tmp_path / "b", f"-DLITE_HOME={tmp_path}", status=1)
    assert f"LITE_HOME is {tmp_path}, which lacks" in " ".join(done.stderr.split())

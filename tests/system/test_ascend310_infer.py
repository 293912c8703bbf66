"""The C++ program: its unit tests with sanitizers, and on a test double of MindSpore Lite the whole program.

The double computes sums of pixels, no network, on no Ascend: it shows what is called how, and that pixels arrive.
"""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from helpers import PROJECT, photograph

from src.preprocess import Preprocess

SOURCE = PROJECT / "ascend310_infer"
CLASSES, SIZE = 4, 32


def run(*command, status=0, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=900, **options)
    assert done.returncode == status, f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="session")
def lite_home(tmp_path_factory):
    """A folder like MindSpore Lite's package with the double in it; nothing when its headers cannot be fetched."""
    headers = SOURCE / "build/lite_headers"
    folder = tmp_path_factory.mktemp("lite")
    fetched = subprocess.run(
        [sys.executable, SOURCE / "tests/lite_double/fetch_headers.py", headers], capture_output=True, text=True
    )
    if fetched.returncode:
        return None, fetched.stderr.strip()
    run(
        "cmake", "-S", SOURCE / "tests/lite_double", "-B", folder / "b", f"-DHEADERS={headers}", f"-DPACKAGE={folder}/l"
    )
    run("cmake", "--build", folder / "b")
    return folder / "l", ""


@pytest.fixture(scope="session")
def built(lite_home, tmp_path_factory):
    """The folder of a build with sanitizers and tests, of MindSpore Lite's backend too if it can be had."""
    folder = tmp_path_factory.mktemp("infer") / "build it"
    flags = ["-DTINYNET_TESTS=ON", "-DTINYNET_SANITIZE=ON", "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS_DEBUG=-g1"]
    run("cmake", "-S", SOURCE, "-B", folder, f"-DLITE_HOME={lite_home[0] or ''}", *flags)
    run("cmake", "--build", folder, "--parallel", min(os.cpu_count(), 8))
    return folder


def ctest(built, *chosen):
    return run("ctest", "--test-dir", built, "--output-on-failure", "--no-tests=error", *chosen).stdout


def test_units_with_sanitizers(built):
    assert "100% tests passed" in ctest(built, "--exclude-regex", "lite")


@pytest.fixture
def lite_program(lite_home, built):
    if not lite_home[0]:
        pytest.skip(lite_home[1])
    return built / "tinynet_infer"


@pytest.mark.usefixtures("lite_program")
def test_contract_with_mindspore_lite(built):
    assert "100% tests passed" in ctest(built, "--tests-regex", "lite")


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
    """What the double makes of an image."""
    flat = np.asarray(values, np.float64).ravel()
    return [flat[c::CLASSES].sum() for c in range(CLASSES)]


@pytest.mark.parametrize("device", ["CPU", "Ascend"])
def test_a_folder_of_images_through_the_whole_program(lite_program, model, image_folder, tmp_path, device):
    if device == "Ascend":
        text = f"input=-1,{SIZE},{SIZE},3\ntype=uint8\noutput=-1,{CLASSES}\ngears=1;4"
    else:
        text = f"input=-1,3,{SIZE},{SIZE}\noutput=-1,{CLASSES}"
    (image_folder / "train/cat/broken.jpg").write_bytes(b"no image")
    flags = ["--device_type", device, "--batch_size", 4, "--format", "bin", "--output", tmp_path / "out"]
    done = run(lite_program, "--mindir_path", model(text), "--dataset_path", image_folder / "train", *flags)
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


def test_a_mistake_is_one_line(lite_program, model, tmp_path):
    photograph(50, 40).save(tmp_path / "good.jpg")
    for text, words in (("fail=Build", "told to fail at Build"), ("input=1,3,9,9", "has 9 pixels a side")):
        flags = ["--device_type", "CPU", tmp_path / "good.jpg"]
        done = run(lite_program, "--model_path", model(text), *flags, status=2)
        errors = done.stderr.splitlines()
        assert len(errors) == 1 and errors[0].startswith("error: ") and words in errors[0]


def test_a_folder_that_is_no_package_is_named(tmp_path):
    done = run("cmake", "-S", SOURCE, "-B", tmp_path / "b", f"-DLITE_HOME={tmp_path}", status=1)
    assert f"LITE_HOME is {tmp_path}, which lacks" in " ".join(done.stderr.split())

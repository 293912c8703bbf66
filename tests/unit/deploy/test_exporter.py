import hashlib
import json

import mindspore as ms
import numpy as np
import onnx
import pytest
from support.exporting import NAMES, assert_runs_on_ascend, export, mindir, operators_of, platforms, primitives_of

from src.cli import parse
from src.config import ExportConfig
from src.deploy import exporter
from src.deploy.deployed_network import as_input
from src.deploy.description import weights_hash
from src.deploy.verification import TOLERANCE, difference, run_mindir, run_onnx, verification_pixels
from src.errors import UserError
from src.images.preprocess import Preprocess
from src.models import create_model
from src.weights.loading import load_weights
from src.weights.readers import read_weights

PREPROCESS = Preprocess(64)


OPEN = ("--batch_size", 0)
UNFOLDED = ("--no-fold",)
PIXELS = ("--batch_size", 2, "--input_type", "uint8")
HALF = ("--batch_size", 2, "--precision", "fp16")


@pytest.mark.parametrize("file_format, run", [("MINDIR", run_mindir), ("ONNX", run_onnx)])
@pytest.mark.parametrize("flags", [OPEN, PIXELS, HALF])
def test_exported_files_compute_what_the_network_computes(trained, exported, file_format, run, flags):
    path = exported("--file_format", file_format, *flags)
    assert path.suffix == "." + file_format.lower()
    assert path.stat().st_mode & 0o777 == 0o644
    input_type, precision = "uint8" if flags == PIXELS else "float32", "fp16" if flags == HALF else "fp32"
    for size in (1, 3) if flags == OPEN else (2,):
        pixels = np.random.RandomState(size).randint(0, 256, (size, 64, 64, 3), dtype=np.uint8)
        expected = trained[0](ms.Tensor(PREPROCESS.normalize(pixels))).asnumpy()
        found = run(path, as_input(pixels, PREPROCESS, input_type))
        assert found.dtype == np.float32
        assert np.abs(found - expected).max() <= TOLERANCE[file_format, precision] * np.abs(expected).max()


@pytest.mark.parametrize("flags, norms", [(OPEN, 0), (UNFOLDED, 31)])
def test_folding_leaves_no_batch_norm(trained, exported, flags, norms):
    for file_format in ("MINDIR", "ONNX"):
        path = exported("--file_format", file_format, *flags)
        about = json.loads(path.with_suffix(".json").read_text())
        assert about["weights_sha256"] == weights_hash(trained[0])
        assert about["files"][path.name]["folded"] == (not norms)
    assert primitives_of(mindir(exported("--file_format", "MINDIR", *flags))).count("BatchNorm") == norms
    operators = operators_of(onnx.load(path))
    assert operators.count("BatchNormalization") == norms and operators.count("GlobalAveragePool") == 11
    assert set(operators) <= {
        "Conv", "BatchNormalization", "Sigmoid", "Mul", "Add", "GlobalAveragePool", "Flatten", "Gemm",
    }  # fmt: skip


def test_half_precision_is_half_throughout(exported):
    graph = mindir(exported("--file_format", "MINDIR", *HALF))
    half = graph.graph.parameter[0].FLOAT16
    assert graph.graph.parameter and {tensor.data_type for tensor in graph.graph.parameter} == {half}
    assert primitives_of(graph).count("Cast") == 2  # of the image, and of the logits

    path = exported("--file_format", "ONNX", *HALF)
    model = onnx.shape_inference.infer_shapes(onnx.load(path))
    assert {tensor.data_type for tensor in model.graph.initializer} == {onnx.TensorProto.FLOAT16}
    assert {value.type.tensor_type.elem_type for value in model.graph.value_info} == {onnx.TensorProto.FLOAT16}
    assert operators_of(model).count("Cast") == 2
    for value in (model.graph.input[0], model.graph.output[0]):
        assert value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    assert path.stat().st_size < 0.52 * exported("--file_format", "ONNX", *OPEN).stat().st_size


def test_onnx_file_is_valid_and_declares_its_batch(exported):
    for flags, dimension in ((OPEN, "batch"), (HALF, 2)):
        model = onnx.load(exported("--file_format", "ONNX", *flags))
        onnx.checker.check_model(model, full_check=True)
        for value, name, rest in (
            (model.graph.input[0], "image", [3, 64, 64]),
            (model.graph.output[0], "logits", [4]),
        ):
            dims = value.type.tensor_type.shape.dim
            assert value.name == name and [dim.dim_value for dim in dims[1:]] == rest
            assert (dims[0].dim_param or dims[0].dim_value) == dimension


def test_description_says_what_a_program_needs(trained, tmp_path):
    network, folder = trained
    named = ("--file_name", tmp_path / "net")
    paths = [
        export(folder, "--file_format", "MINDIR", *named),
        export(folder, "--file_format", "ONNX", "--batch_size", 0, "--input_type", "uint8", *named),
    ]
    about = json.loads((tmp_path / "net.json").read_text())
    assert about["model"] == "tinynet_e" and about["classes"] == NAMES and about["num_classes"] == 4
    assert about["input"] == {"name": "image", "size": 64, "color": "RGB"}
    assert about["output"] == {"name": "logits", "shape": ["batch", 4], "type": "float32"}
    assert about["preprocess"]["resize"]["short_side"] == 73 and about["preprocess"]["crop"]["size"] == 64
    assert about["preprocess"]["mean"] == [0.485, 0.456, 0.406]
    assert about["weights_sha256"] == weights_hash(network)
    for path in paths:
        file = about["files"][path.name]
        assert file.pop("sha256") == hashlib.sha256(path.read_bytes()).hexdigest()
        assert 0 <= file.pop("largest_difference") <= 1e-4
    assert about["files"] == {
        "net.mindir": {
            "format": "MINDIR", "precision": "fp32", "batch_size": 1, "folded": True,
            "input": {"type": "float32", "layout": "NCHW", "shape": [1, 3, 64, 64]},
        },
        "net.onnx": {
            "format": "ONNX", "precision": "fp32", "batch_size": "any", "folded": True,
            "input": {"type": "uint8", "layout": "NHWC", "shape": ["batch", 64, 64, 3]},
        },
    }  # fmt: skip


def test_chip_files_stand_beside_the_file(trained, tmp_path):
    flags = ("--batch_size", 0, "--soc_version", "Ascend310P3", "--gears", "1,8", "--file_name", tmp_path / "net")
    export(trained[1], *flags)
    names = {"net.mindir", "net.json", "net.aipp.cfg", "net.converter.cfg", "net.mindir.convert.sh"}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert "src_image_size_w: 64\n" in (tmp_path / "net.aipp.cfg").read_text()
    assert "dynamic_dims=[1],[8]\n" in (tmp_path / "net.converter.cfg").read_text()


@pytest.mark.parametrize(
    "flags, words",
    [
        ("--file_format AIR --precision fp16", "precision is 'fp16': only MINDIR and ONNX files have it"),
        ("--file_format CKPT --input_type uint8", "input_type is 'uint8': only MINDIR and ONNX files have it"),
        ("--file_format AIR --soc_version Ascend310P3", "soc_version is 'Ascend310P3': only MINDIR and ONNX files"),
        ("--precision int8 --calibration x", "8-bit files are ONNX; add --file_format ONNX"),
        ("--precision fp16 --no-fold", "BatchNorm is computed in fp32; leave --no-fold out"),
        ("--precision int8 --file_format ONNX", "calibration is None: int8 takes the ranges of activations from"),
        ("--soc_version 310P3", "soc_version is '310P3': expected `Ascend` and the chip's name"),
        ("--soc_version Ascend310P3 --input_type uint8", "AIPP on the chip would normalize a second time"),
        ("--soc_version Ascend310P3 --precision int8 --file_format ONNX --calibration x", "run in ONNX Runtime"),
        ("--gears 1,8 --batch_size 0", "gears need --soc_version and --batch_size 0"),
        ("--gears 1,8 --soc_version Ascend310P3", "gears need --soc_version and --batch_size 0"),
        ("--gears 1,x --soc_version Ascend310P3 --batch_size 0", "expected up to 100 whole numbers"),
        ("--gears 1,4096 --soc_version Ascend310P3 --batch_size 0", "from 1 to 2048"),
    ],
)
def test_what_does_not_go_together_is_refused(flags, words):
    with pytest.raises(UserError) as error:
        parse(ExportConfig, flags.split())
    assert words in str(error.value)


def test_a_file_that_computes_otherwise_is_not_written(trained, tmp_path, monkeypatch):
    monkeypatch.setitem(exporter.TOLERANCE, ("ONNX", "fp32"), -1)
    (tmp_path / "net.onnx").write_text("what was there before")
    with pytest.raises(UserError, match="net.onnx was not written: its logits differ"):
        export(trained[1], "--file_format", "ONNX", "--file_name", tmp_path / "net")
    assert [path.name for path in tmp_path.iterdir()] == ["net.onnx"]
    assert (tmp_path / "net.onnx").read_text() == "what was there before"


def test_difference_sees_other_weights(trained, exported):
    path = exported("--file_format", "MINDIR", *OPEN)
    images = PREPROCESS.normalize(verification_pixels(PREPROCESS))
    expected = trained[0](ms.Tensor(images)).asnumpy()
    assert difference(path, images, expected) <= 1e-5
    assert difference(path, images, expected[::-1]) > 1e-3
    assert difference(path, images, expected[:, :2]) == float("inf")


@pytest.mark.parametrize("file_format", ["SAFETENSORS", "CKPT"])
def test_weights_alone(trained, file_format, tmp_path):
    path = export(trained[1], "--file_format", file_format, "--file_name", tmp_path / "net")
    again = create_model("tinynet_e", num_classes=4)
    load_weights(again, read_weights(path))
    assert weights_hash(again) == weights_hash(trained[0])


def test_air_says_what_it_needs(trained):
    with pytest.raises(UserError, match="AIR needs an Ascend machine, this one has CPU; MINDIR"):
        export(trained[1], "--file_format", "AIR")


@pytest.mark.parametrize(
    "flags, expected", [(UNFOLDED, {"BatchNorm"}), (PIXELS, {"BiasAdd", "Transpose", "Div"}), (HALF, {"Cast"})]
)
def test_every_operator_is_stated_to_run_on_ascend(exported, flags, expected):
    paths = [exported("--file_format", file_format, *flags) for file_format in ("MINDIR", "ONNX")]
    assert {"Conv2D", "Sigmoid", "Mul", "ReduceMean", *expected} <= assert_runs_on_ascend(*paths)
    assert "Ascend" not in platforms("NoSuchThing")

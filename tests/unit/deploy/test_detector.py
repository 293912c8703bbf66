"""Exported detectors: boxes and scores of the network in every kind of file, and the description beside it."""

import json
import shutil
import sys
from types import SimpleNamespace

import mindspore as ms
import numpy as np
import onnx
import pytest
from support.coco import write_squares
from support.detector_model import write_detector_json
from support.exporting import (
    ANY_BATCH,
    HALF_PIXELS,
    NAMES,
    assert_runs_on_ascend,
    export,
    export_detection,
    mindir,
    operators_of,
    primitives_of,
)

from src.cli import parse
from src.config import DetectEvalConfig, DetectExportConfig
from src.deploy import comparison, exporter, int8_file
from src.deploy.deployed_network import as_input
from src.deploy.description import weights_hash
from src.deploy.detector import BOX_TOLERANCE, SCORE_TOLERANCE, ExportedDetector
from src.deploy.verification import as_arrays, run_file
from src.detection.anchors import anchor_boxes
from src.detection.network import BoxesAndScores
from src.detection.weights import load_detector
from src.errors import UserError
from src.images.preprocess import Preprocess

PREPROCESS = Preprocess(64, 1.0)
FORMATS = ["MINDIR", "ONNX"]


@pytest.fixture(scope="module")
def pixels():
    return np.random.RandomState(3).randint(0, 256, (3, 64, 64, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def expected(detector, pixels):
    """The boxes and scores of three images that the network itself computes, operator by operator."""
    ms.set_context(mode=ms.PYNATIVE_MODE)
    outputs = as_arrays(BoxesAndScores(detector[0])(ms.Tensor(PREPROCESS.normalize(pixels))))
    ms.set_context(mode=ms.GRAPH_MODE)
    return outputs


def assert_nearly(found, expected, kind):
    """Assert that outputs are float32 and within the tolerances of a kind of file."""
    assert [values.dtype for values in found] == [np.float32, np.float32]
    assert [values.shape for values in found] == [values.shape for values in expected]
    assert np.abs(found[0] - expected[0]).max() <= BOX_TOLERANCE[kind] * 64
    assert np.abs(found[1] - expected[1]).max() <= SCORE_TOLERANCE[kind]


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("size", [1, 3])
def test_a_file_for_any_batch_computes_boxes_and_scores(exported_detector, pixels, expected, file_format, size):
    found = run_file(exported_detector(file_format, ANY_BATCH), as_input(pixels[:size], PREPROCESS, "float32"))
    assert_nearly(found, [values[:size] for values in expected], (file_format, "fp32"))


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_half_precision_file_for_pixels_computes_nearly_the_same(exported_detector, pixels, expected, file_format):
    found = run_file(exported_detector(file_format, HALF_PIXELS), pixels[:2])
    assert_nearly(found, [values[:2] for values in expected], (file_format, "fp16"))


def test_a_mindir_file_computes_the_bits_of_its_graph(exported_detector, detector, pixels):
    loaded = load_detector(parse(DetectEvalConfig, ["--ckpt", str(detector[1] / "w.ckpt")]))
    graph = ExportedDetector(DetectExportConfig(), loaded).deployed(fold=True)
    images = PREPROCESS.normalize(pixels)
    found = run_file(exported_detector("MINDIR", ANY_BATCH), images)
    for values, own in zip(found, as_arrays(graph(ms.Tensor(images))), strict=True):
        np.testing.assert_array_equal(values, own)


def test_boxes_are_far_from_their_anchors_and_within_the_image(detector, expected):
    boxes, _ = expected
    assert np.abs(boxes - anchor_boxes(detector[0].detector)).max() > 20
    assert boxes.min() == 0 and boxes.max() == 64


def test_a_half_precision_onnx_file_decodes_in_float32(exported_detector):
    model = onnx.load(exported_detector("ONNX", HALF_PIXELS))
    graph = onnx.shape_inference.infer_shapes(model).graph
    types = {value.name: value.type.tensor_type.elem_type for value in graph.value_info}
    types |= {tensor.name: tensor.data_type for tensor in graph.initializer}
    half, single = onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT
    assert {types[node.input[1]] for node in graph.node if node.op_type == "Conv"} == {half}
    for operator in ("Exp", "Softmax", "Max"):
        assert {types[node.input[0]] for node in graph.node if node.op_type == operator} == {single}


@pytest.mark.parametrize("flags", [ANY_BATCH, HALF_PIXELS])
def test_every_operator_is_documented_to_run_on_ascend(exported_detector, flags):
    primitives = assert_runs_on_ascend(*(exported_detector(file_format, flags) for file_format in FORMATS))
    assert {"Conv2D", "Split", "Exp", "Minimum", "Maximum", "Softmax", "Concat"} <= primitives


def test_folding_leaves_no_batch_norm(exported_detector):
    assert "BatchNorm" not in primitives_of(mindir(exported_detector("MINDIR", ANY_BATCH)))
    assert "BatchNormalization" not in operators_of(onnx.load(exported_detector("ONNX", ANY_BATCH)))


def test_an_onnx_file_names_its_outputs_and_leaves_the_batch_open(exported_detector, detector):
    count = detector[0].detector.anchors
    graph = onnx.load(exported_detector("ONNX", ANY_BATCH)).graph
    values = {value.name: value.type.tensor_type.shape.dim for value in (*graph.input, *graph.output)}
    assert list(values) == ["image", "boxes", "scores"]
    assert {shape[0].dim_param for shape in values.values()} == {"batch"}
    assert [dim.dim_value for name in ("boxes", "scores") for dim in values[name][1:]] == [count, 4, count, 5]


def test_the_description_is_what_the_c_plus_plus_program_is_tested_with(exported_detector, detector, tmp_path):
    for file_format in FORMATS:
        path = exported_detector(file_format, ANY_BATCH)
    described = json.loads(path.with_suffix(".json").read_text())
    write_detector_json(tmp_path / "net.onnx", 64, detector[0].detector.anchors, len(NAMES), preprocess=PREPROCESS)
    expected = json.loads((tmp_path / "net.json").read_text()) | {"model": "ssdlite_cut", "classes": NAMES}
    assert {key: described[key] for key in expected} == expected
    assert "output" not in described
    assert sorted(described["files"]) == ["a net.mindir", "a net.onnx"]
    for entry in described["files"].values():
        assert entry["largest_difference"].keys() == {"boxes", "scores"}


@pytest.fixture(scope="module")
def squares(tmp_path_factory):
    """A data set with the classes of the detector."""
    data = write_squares(tmp_path_factory.mktemp("squares"), train=2, val=3)
    path = data / "annotations/instances_val.json"
    content = json.loads(path.read_text())
    content["categories"] = [{"id": key, "name": name} for key, name in zip((9, 40, 50, 60), NAMES)]
    path.write_text(json.dumps(content))
    return data


@pytest.fixture(scope="module")
def eight_bits(exported_detector, squares):
    """The 8-bit file, calibrated on two images and scored on three. The float file is taken from other tests."""
    source = exported_detector("ONNX", ANY_BATCH)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comparison, "ROUNDS", 1)
        patch.setattr(int8_file, "write_float", lambda config, model, path: shutil.copy(source, path))
        flags = ("--precision", "int8", "--calibration", squares / "train", "--data_path", squares)
        return exported_detector("ONNX", flags)


def test_an_8_bit_file_has_the_ap_of_before_and_after(eight_bits):
    entry = json.loads(eight_bits.with_suffix(".json").read_text())["files"][eight_bits.name]
    against = entry["against_float"]
    assert entry["precision"] == "int8" and against["images"] == 3
    assert {"ap", "float_ap", "ap50", "float_ap50"} < against.keys()
    assert all(0 <= against[key] <= 100 for key in ("ap", "float_ap", "agreement"))
    assert against["largest_difference"].keys() == {"boxes", "scores"}


def test_an_8_bit_file_decodes_in_float32(eight_bits):
    graph = onnx.load(eight_bits).graph
    stored = {tensor.name: tensor.data_type for tensor in graph.initializer}
    writers = {name: node for node in graph.node for name in node.output}
    for node in graph.node:
        if node.op_type == "Conv":
            assert stored[writers[node.input[1]].input[0]] == onnx.TensorProto.INT8
        elif node.op_type in ("Exp", "Softmax", "Max", "Min"):
            assert writers[node.input[0]].op_type != "DequantizeLinear"


def scored_by(data):
    return DetectExportConfig(data_path=str(data), precision="int8", file_format="ONNX", calibration=data)


def test_categories_that_the_detector_does_not_have_are_refused(detector, squares, tmp_path):
    data = write_squares(tmp_path / "other", train=1, val=1)
    loaded = load_detector(parse(DetectEvalConfig, ["--ckpt", str(detector[1] / "w.ckpt")]))
    with pytest.raises(UserError, match="was trained on 4 categories .cat, dog, .*instances_val.json has 2"):
        ExportedDetector(scored_by(data), loaded)


def test_the_package_that_scores_is_missed_before_any_work(detector, squares, monkeypatch):
    monkeypatch.setitem(sys.modules, "faster_coco_eval", None)
    loaded = load_detector(parse(DetectEvalConfig, ["--ckpt", str(detector[1] / "w.ckpt")]))
    with pytest.raises(UserError, match="needs faster-coco-eval; `pip install '.\\[detect\\]'`"):
        ExportedDetector(scored_by(squares), loaded)


def test_weights_alone_are_a_detector_again(detector, tmp_path):
    path = export_detection(detector[1], "--file_format", "CKPT", "--file_name", tmp_path / "net")
    assert b'"task": "detection"' in path.read_bytes()  # by which scripts/run_export.sh knows a detector
    loaded = load_detector(parse(DetectEvalConfig, ["--ckpt", str(path)]))
    assert weights_hash(loaded.network) == weights_hash(detector[0])
    assert loaded.network.detector == detector[0].detector
    assert (loaded.classes, loaded.preprocess) == (tuple(NAMES), PREPROCESS)


@pytest.mark.parametrize("decode, mode", [(None, "force_fp16"), (True, "allow_fp32_to_fp16")])
def test_a_converter_leaves_the_decoding_in_float32(tmp_path, decode, mode):
    config = DetectExportConfig(precision="fp16", file_format="ONNX")
    model = SimpleNamespace(decode=decode, preprocess=PREPROCESS)
    exporter._write_converter_files(config, "Ascend310P3", model, tmp_path / "net.onnx")
    assert f"--precision_mode={mode}" in (tmp_path / "net.onnx.convert.sh").read_text()


def test_each_task_names_the_command_of_the_other(detector, trained):
    with pytest.raises(UserError, match="w.ckpt holds a detector, not a classifier; use detect.py eval, predict or"):
        export(detector[1])
    with pytest.raises(UserError, match="w.ckpt holds a classifier; train a detector from it with `detect.py train"):
        export_detection(trained[1])


@pytest.mark.parametrize(
    "flags, words",
    [
        ("--file_format SAFETENSORS", "file_format is 'SAFETENSORS': expected 'MINDIR', 'ONNX', 'AIR' or 'CKPT'"),
        ("--names mindcv", "unknown flag '--names'"),
        ("--file_format CKPT --precision fp16", "precision is 'fp16': only MINDIR and ONNX files have it"),
        ("--precision int8 --file_format ONNX", "calibration is None: int8 takes the ranges of activations from"),
    ],
)
def test_what_a_detector_cannot_be_exported_as_is_refused(flags, words):
    with pytest.raises(UserError) as error:
        parse(DetectExportConfig, flags.split())
    assert words in str(error.value)

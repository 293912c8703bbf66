"""Float files compute what the network computes, for every kind of batch, input and precision."""

import mindspore as ms
import numpy as np
import onnx
import pytest
from support.exporting import (
    ANY_BATCH,
    HALF,
    PIXELS,
    UNFOLDED,
    assert_runs_on_ascend,
    mindir,
    operators_of,
    platforms,
    primitives_of,
)

from src.deploy.classifier import TOLERANCE
from src.deploy.deployed_network import as_input
from src.deploy.verification import run_file
from src.images.preprocess import Preprocess

PREPROCESS = Preprocess(64)
FORMATS = ["MINDIR", "ONNX"]


def assert_equals_network(network, path, size, tolerance, input_type="float32"):
    pixels = np.random.RandomState(size).randint(0, 256, (size, 64, 64, 3), dtype=np.uint8)
    expected = network(ms.Tensor(PREPROCESS.normalize(pixels))).asnumpy()
    (found,) = run_file(path, as_input(pixels, PREPROCESS, input_type))
    assert found.dtype == np.float32
    assert np.abs(found - expected).max() <= tolerance * np.abs(expected).max()


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("size", [1, 3])
def test_a_file_for_any_batch_computes_what_the_network_computes(trained, exported, file_format, size):
    assert_equals_network(trained[0], exported(file_format, ANY_BATCH), size, TOLERANCE[file_format, "fp32"])


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_file_for_pixels_normalizes_them(trained, exported, file_format):
    path = exported(file_format, PIXELS)
    assert_equals_network(trained[0], path, 2, TOLERANCE[file_format, "fp32"], "uint8")


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_half_precision_file_computes_nearly_the_same(trained, exported, file_format):
    assert_equals_network(trained[0], exported(file_format, HALF), 2, TOLERANCE[file_format, "fp16"])


@pytest.mark.parametrize("file_format", ["MINDIR", "ONNX"])
def test_all_users_may_read_the_file(exported, file_format):
    assert exported(file_format, ANY_BATCH).stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("flags, norms", [(ANY_BATCH, 0), (UNFOLDED, 10)])
def test_folding_leaves_no_batch_norm_in_a_mindir(exported, flags, norms):
    assert primitives_of(mindir(exported("MINDIR", flags))).count("BatchNorm") == norms


@pytest.mark.parametrize("flags, norms", [(ANY_BATCH, 0), (UNFOLDED, 10)])
def test_folding_leaves_no_batch_norm_in_an_onnx_file(exported, flags, norms):
    assert operators_of(onnx.load(exported("ONNX", flags))).count("BatchNormalization") == norms


def test_a_half_precision_mindir_has_float16_parameters(exported):
    graph = mindir(exported("MINDIR", HALF))
    assert {tensor.data_type for tensor in graph.graph.parameter} == {graph.graph.parameter[0].FLOAT16}


def test_a_half_precision_mindir_casts_only_images_and_logits(exported):
    assert primitives_of(mindir(exported("MINDIR", HALF))).count("Cast") == 2


def test_a_half_precision_onnx_file_is_float16_between_two_casts(exported):
    model = onnx.shape_inference.infer_shapes(onnx.load(exported("ONNX", HALF)))
    assert {tensor.data_type for tensor in model.graph.initializer} == {onnx.TensorProto.FLOAT16}
    assert {value.type.tensor_type.elem_type for value in model.graph.value_info} == {onnx.TensorProto.FLOAT16}
    assert operators_of(model).count("Cast") == 2


def test_a_half_precision_onnx_file_takes_and_gives_float32(exported):
    graph = onnx.load(exported("ONNX", HALF)).graph
    for value in (graph.input[0], graph.output[0]):
        assert value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT


def test_a_half_precision_file_has_half_the_size(exported):
    assert exported("ONNX", HALF).stat().st_size < 0.52 * exported("ONNX", ANY_BATCH).stat().st_size


@pytest.mark.parametrize(
    "flags, expected", [(UNFOLDED, {"BatchNorm"}), (PIXELS, {"BiasAdd", "Transpose", "Div"}), (HALF, {"Cast"})]
)
def test_every_operator_is_documented_to_run_on_ascend(exported, flags, expected):
    primitives = assert_runs_on_ascend(exported("MINDIR", flags), exported("ONNX", flags))
    assert {"Conv2D", "Sigmoid", "Mul", "ReduceMean", *expected} <= primitives


def test_an_unknown_operator_is_not_documented_to_run_on_ascend():
    assert "Ascend" not in platforms("NoSuchThing")

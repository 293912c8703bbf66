"""ONNX files are valid, declare their batch, and use operators for which runtimes have fast kernels."""

import onnx
import pytest
from support.exporting import ANY_BATCH, HALF, UNFOLDED, operators_of

BATCHES = [(ANY_BATCH, "batch"), (HALF, 2)]


@pytest.mark.parametrize("flags, batch", BATCHES)
def test_the_file_is_valid(exported, flags, batch):
    onnx.checker.check_model(onnx.load(exported("ONNX", flags)), full_check=True)


@pytest.mark.parametrize("flags, batch", BATCHES)
def test_input_and_output_have_names_and_shapes(exported, flags, batch):
    graph = onnx.load(exported("ONNX", flags)).graph
    for value, name, shape in ((graph.input[0], "image", [3, 64, 64]), (graph.output[0], "logits", [4])):
        first, *others = value.type.tensor_type.shape.dim
        assert value.name == name
        assert (first.dim_param or first.dim_value) == batch
        assert [dim.dim_value for dim in others] == shape


@pytest.mark.parametrize("flags", [ANY_BATCH, UNFOLDED])
def test_means_over_the_image_are_global_average_pools(exported, flags):
    operators = operators_of(onnx.load(exported("ONNX", flags)))
    assert operators.count("GlobalAveragePool") == 4  # of three blocks and the head
    assert "ReduceMean" not in operators


@pytest.mark.parametrize("flags", [ANY_BATCH, UNFOLDED])
def test_there_are_only_common_operators(exported, flags):
    assert set(operators_of(onnx.load(exported("ONNX", flags)))) <= {
        "Conv", "BatchNormalization", "Sigmoid", "Mul", "Add", "GlobalAveragePool", "Flatten", "Gemm",
    }  # fmt: skip

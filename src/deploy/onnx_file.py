"""A MindSpore network as an ONNX file, in the forms that runtimes have kernels for."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import mindspore as ms
from mindspore import nn

from src.deploy.deployed_network import INPUT, OUTPUT
from src.errors import UserError
from src.runtime.compat import export_onnx


def write_onnx(graph: nn.Cell, image: ms.Tensor, path: Path, batch_size: int) -> None:
    """Export `graph` for one image, as any converter can read it, and then declare the batch (0: open).

    Nothing in the graph may depend on the batch.

    Raises:
        UserError: the onnx package is not installed.
    """
    onnx = onnx_package()
    export_onnx(graph, image, path, INPUT, OUTPUT)
    model = onnx.load(path)
    name_output(model)
    pool_globally(model)
    for value in (model.graph.input[0], model.graph.output[0]):
        batch = value.type.tensor_type.shape.dim[0]
        if batch_size:
            batch.dim_value = batch_size
        else:
            batch.dim_param = "batch"
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def onnx_package() -> ModuleType:
    """The onnx package, which is an extra.

    Raises:
        UserError: it is not installed.
    """
    try:
        import onnx
        import onnx.version_converter
    except ImportError:
        raise UserError('file_format ONNX needs the onnx packages; `pip install "onnx" "onnxruntime"`') from None
    return onnx


def name_output(model) -> None:
    """Let the last node write the declared output: MindSpore 2.10 declares a name that a final Cast does not write."""
    model.graph.node[-1].output[0] = model.graph.output[0].name


def pool_globally(model) -> None:
    """GlobalAveragePool for the means over height and width: runtimes keep their convolutions' layout for it."""
    helper, nodes = onnx_package().helper, []
    for node in model.graph.node:
        settings = {item.name: helper.get_attribute_value(item) for item in node.attribute}
        if node.op_type != "ReduceMean" or list(settings["axes"]) != [2, 3]:
            nodes.append(node)
        elif settings["keepdims"]:
            nodes.append(helper.make_node("GlobalAveragePool", node.input, node.output, node.name))
        else:
            pooled = f"{node.output[0]}-pooled"
            nodes.append(helper.make_node("GlobalAveragePool", node.input, [pooled], node.name))
            nodes.append(helper.make_node("Flatten", [pooled], node.output))
    model.graph.ClearField("node")
    model.graph.node.extend(nodes)

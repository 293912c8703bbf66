"""Write a MindSpore network as an ONNX file, with operators for which runtimes have fast kernels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import mindspore as ms
from mindspore import nn

from src.deploy.deployed_network import INPUT
from src.errors import UserError
from src.runtime.compat import export_onnx


def write_onnx(graph: nn.Cell, image: ms.Tensor, path: Path, batch_size: int, outputs: Sequence[str]) -> None:
    """Export `graph` for one image, name its outputs, and then declare the batch size (0: any).

    No operator of the graph may depend on the batch size. Of several outputs, each must end in a primitive that is one
    node in ONNX, such as Softmax or Minimum: MindSpore gives the name to the first node of the primitive.

    Raises:
        UserError: the onnx package is not installed.
    """
    onnx = onnx_package()
    export_onnx(graph, image, path, INPUT, outputs)
    model = onnx.load(path)
    if len(outputs) == 1:
        name_output(model)
    pool_globally(model)
    for value in (*model.graph.input, *model.graph.output):
        batch = value.type.tensor_type.shape.dim[0]
        if batch_size:
            batch.dim_value = batch_size
        else:
            batch.dim_param = "batch"
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def onnx_package() -> ModuleType:
    """Return the onnx package, which is optional.

    Raises:
        UserError: it is not installed.
    """
    try:
        import onnx
        import onnx.version_converter
    except ImportError:
        raise UserError('file_format ONNX needs the onnx packages; `pip install "onnx" "onnxruntime"`') from None
    return onnx


def name_output(model: Any) -> None:
    """Let the last node write the declared output, because MindSpore 2.10 declares another name after a final Cast."""
    model.graph.node[-1].output[0] = model.graph.output[0].name


def pool_globally(model: Any) -> None:
    """Replace means over height and width by GlobalAveragePool, for which runtimes keep the layout of convolutions."""
    helper = onnx_package().helper
    nodes: list[Any] = []
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

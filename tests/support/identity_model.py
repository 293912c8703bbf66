"""An ONNX model whose logits are its input, so that a test sees every bit that a program feeds to a network."""

import json
from pathlib import Path

import onnx
from onnx import TensorProto, helper

from src.images.preprocess import Preprocess


def write_identity(path: Path, preprocess: Preprocess, input_type: str, batch: int | str = "batch") -> None:
    """Write PATH and its JSON. `input_type` is float32 for planes (NCHW) or uint8 for pixels (NHWC)."""
    side = preprocess.size
    count = 3 * side * side
    shape = [batch, 3, side, side] if input_type == "float32" else [batch, side, side, 3]
    kind = TensorProto.FLOAT if input_type == "float32" else TensorProto.UINT8
    nodes = [
        helper.make_node("Cast", ["image"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["numbers"], ["logits"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "identity",
        [helper.make_tensor_value_info("image", kind, shape)],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [batch, count])],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    description = {
        "model": "identity",
        "preprocess": {
            "resize": {"short_side": preprocess.resize},
            "crop": {"size": side},
            "mean": preprocess.mean,
            "std": preprocess.std,
        },
        "num_classes": count,
        "classes": [],
    }
    path.with_suffix(".json").write_text(json.dumps(description))

"""ONNX detectors without weights: one looks its boxes and scores up, one returns the pixels that it sees as boxes."""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from src.detection.postprocess import Rule
from src.images.preprocess import Preprocess


def write_lookup(path: Path, boxes: np.ndarray, scores: np.ndarray, size: int, rule: Rule = Rule()) -> None:
    """Write PATH and its JSON: an image whose first byte is i has boxes[i] and scores[i].

    Args:
        path: the ONNX file.
        boxes: float32 (up to 256, anchors, 4).
        scores: float32 (up to 256, anchors, classes + 1).
        size: side of the input in pixels, uint8 NHWC.
        rule: post-processing that the JSON names.
    """
    tables = [numpy_helper.from_array(boxes, "box_table"), numpy_helper.from_array(scores, "score_table")]
    corner = [numpy_helper.from_array(np.array(v, np.int64), k) for k, v in {"low": [0] * 3, "high": [1] * 3}.items()]
    corner += [numpy_helper.from_array(np.array([1, 2, 3], np.int64), "axes"), _shape("flat", [-1])]
    nodes = [
        helper.make_node("Slice", ["image", "low", "high", "axes"], ["byte"]),
        helper.make_node("Cast", ["byte"], ["number"], to=TensorProto.INT64),
        helper.make_node("Reshape", ["number", "flat"], ["index"]),
        helper.make_node("Gather", ["box_table", "index"], ["boxes"]),
        helper.make_node("Gather", ["score_table", "index"], ["scores"]),
    ]
    _save(path, nodes, tables + corner, boxes.shape[1], scores.shape[2], ("uint8", size))
    write_detector_json(path, size, boxes.shape[1], scores.shape[2] - 1, rule)


def write_pixels(path: Path, preprocess: Preprocess, input_type: str) -> Rule:
    """Write PATH and its JSON: the boxes are all values of the input in their order, each with another score.

    Returns:
        The rule of the JSON, which keeps all of them.
    """
    size = preprocess.size
    anchors = 3 * size * size // 4
    falling = np.linspace(0.9, 0.1, anchors, dtype=np.float32)
    table = np.stack([1 - falling, falling], 1)[None]
    constants = [numpy_helper.from_array(table, "table"), _shape("boxes_shape", [-1, anchors, 4])]
    constants += [_shape("ones", [-1, 1, 1]), numpy_helper.from_array(np.float32(0), "nothing")]
    nodes = [
        helper.make_node("Cast", ["image"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("Reshape", ["numbers", "boxes_shape"], ["boxes"]),
        helper.make_node("ReduceMax", ["boxes"], ["largest"], axes=[1, 2], keepdims=1),
        helper.make_node("Mul", ["largest", "nothing"], ["zeros"]),
        helper.make_node("Add", ["zeros", "table"], ["scores"]),
    ]
    _save(path, nodes, constants, anchors, 2, (input_type, size))
    rule = Rule(score=0, candidates=anchors, overlap=1, detections=anchors)
    write_detector_json(path, size, anchors, 1, rule, preprocess)
    return rule


def write_detector_json(
    path: Path, size: int, anchors: int, classes: int, rule: Rule = Rule(), preprocess: Preprocess | None = None
) -> dict:
    """Write the JSON beside PATH as detect.py export does, as far as programs read it, and return its content."""
    preprocess = preprocess or Preprocess(size)
    outputs = {"boxes": 4, "scores": classes + 1}
    resize = {"width": size, "height": size, "interpolation": "bilinear", "antialias": True}
    content = {
        "model": "lookup",
        "task": "detection",
        "outputs": [
            {"name": name, "shape": ["batch", anchors, values], "type": "float32"} for name, values in outputs.items()
        ],
        "preprocess": {"resize": resize, "scale": 1 / 255, "mean": preprocess.mean, "std": preprocess.std},
        "num_classes": classes,
        "classes": [f"class {index}" for index in range(classes)],
        "postprocess": {
            "min_score": rule.score,
            "candidates": rule.candidates,
            "nms_overlap": rule.overlap,
            "max_objects": rule.detections,
        },
    }
    path.with_suffix(".json").write_text(json.dumps(content))
    return content


def _shape(name: str, lengths: list[int]) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(lengths, np.int64), name)


def _save(path: Path, nodes: list, constants: list, anchors: int, values: int, image: tuple[str, int]) -> None:
    input_type, side = image
    shape = ["batch", 3, side, side] if input_type == "float32" else ["batch", side, side, 3]
    kind = TensorProto.FLOAT if input_type == "float32" else TensorProto.UINT8
    graph = helper.make_graph(
        nodes,
        "detector",
        [helper.make_tensor_value_info("image", kind, shape)],
        [
            helper.make_tensor_value_info("boxes", TensorProto.FLOAT, ["batch", anchors, 4]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", anchors, values]),
        ],
        constants,
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)

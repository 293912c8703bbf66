"""Differences between the MindSpore versions that this project supports (2.7 to 2.10)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import mindspore as ms
from mindspore import nn


def export_onnx(network: nn.Cell, images: ms.Tensor, path: Path, input_name: str, output_names: Sequence[str]) -> None:
    """Write an ONNX file for the shape of `images`, with the given names of input and outputs.

    Versions without `ms.onnx` choose the names themselves; there they are changed with the `onnx` package.
    """
    if hasattr(ms, "onnx"):
        ms.onnx.export(network, images, file_name=str(path), input_names=[input_name], output_names=list(output_names))
        return
    ms.export(network, images, file_name=str(path), file_format="ONNX")
    import onnx

    model = onnx.load(path)
    values = (model.graph.input[0], *model.graph.output)
    names = {value.name: name for value, name in zip(values, (input_name, *output_names), strict=True)}
    for value in values:
        value.name = names[value.name]
    for node in model.graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    onnx.save(model, path)

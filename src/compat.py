"""Differences between the MindSpore versions that this project supports (2.7 to 2.10), in one place."""

from __future__ import annotations

from pathlib import Path

import mindspore as ms
from mindspore import nn


def export_onnx(network: nn.Cell, images: ms.Tensor, path: Path, input_name: str, output_name: str) -> None:
    """Write an ONNX file for the shape of `images`. `ms.onnx` came with 2.8; before it, `ms.export` did this."""
    if hasattr(ms, "onnx"):
        ms.onnx.export(network, images, file_name=str(path), input_names=[input_name], output_names=[output_name])
    else:
        ms.export(network, images, file_name=str(path), file_format="ONNX")

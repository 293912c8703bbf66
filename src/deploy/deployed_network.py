"""What a file's graph computes around the network: the type and layout of its input, and its precision."""

from __future__ import annotations

from typing import Literal

import mindspore as ms
import numpy as np
from mindspore import Tensor, nn

from src.images.preprocess import Preprocess

INPUT, OUTPUT = "image", "logits"
InputType = Literal["float32", "uint8"]
LAYOUTS: dict[InputType, str] = {"float32": "NCHW", "uint8": "NHWC"}


class DeployedGraph(nn.Cell):
    """Images in, float32 logits (N, classes) out.

    Args:
        network: images float32 (N, 3, size, size) to logits; with `half` its parameters become float16, so it must be
            the caller's own copy, without BatchNorm, whose statistics need float32.
        preprocess: mean and std of `pixels`.
        pixels: take uint8 (N, size, size, 3), RGB, and normalize and transpose in the graph, in float32.
        half: compute in float16.
    """

    def __init__(self, network: nn.Cell, preprocess: Preprocess, *, pixels: bool = False, half: bool = False) -> None:
        super().__init__(auto_prefix=False)  # parameters keep the network's names
        self.network, self.pixels, self.half = network, pixels, half
        self.mean, self.std = (Tensor(values) for values in preprocess.pixel_mean_std())
        if half:
            for parameter in network.get_parameters():
                parameter.set_dtype(ms.float16)
        self.set_train(False)

    def construct(self, x: Tensor) -> Tensor:
        if self.pixels:
            x = ((x.astype(ms.float32) - self.mean) / self.std).transpose(0, 3, 1, 2)
        if self.half:
            return self.network(x.astype(ms.float16)).astype(ms.float32)
        return self.network(x)


def input_shape(batch: int | None, size: int, input_type: InputType) -> list[int | None]:
    """Shape of a graph's input in its layout."""
    return [batch, size, size, 3] if LAYOUTS[input_type] == "NHWC" else [batch, 3, size, size]


def as_input(pixels: np.ndarray, preprocess: Preprocess, input_type: InputType) -> np.ndarray:
    """Crops, uint8 (n, size, size, 3), as a graph with this input takes them."""
    return pixels if input_type == "uint8" else preprocess.normalize(pixels)

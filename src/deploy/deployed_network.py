"""The network of an exported file: its input, its outputs, and the precision in between."""

from __future__ import annotations

from typing import Literal

import mindspore as ms
import numpy as np
from mindspore import Tensor, nn

from src.images.preprocess import Preprocess

INPUT = "image"
InputType = Literal["float32", "uint8"]
LAYOUTS: dict[InputType, str] = {"float32": "NCHW", "uint8": "NHWC"}


class DeployedNetwork(nn.Cell):
    """Images in, float32 outputs out.

    Args:
        network: images float32 (N, 3, size, size) to logits, or to the arguments of `decode`. With `half` its
            parameters become float16, so it must be a copy, and it must have no BatchNorm, whose statistics need
            float32.
        preprocess: mean and std of `pixels`.
        pixels: take RGB pixels, uint8 (N, size, size, 3), and normalize and transpose them in float32.
        half: compute the network in float16.
        decode: a Cell without parameters that computes the outputs from the network's results, in float32.
    """

    def __init__(
        self,
        network: nn.Cell,
        preprocess: Preprocess,
        *,
        pixels: bool = False,
        half: bool = False,
        decode: nn.Cell | None = None,
    ) -> None:
        super().__init__(auto_prefix=False)  # parameters keep the network's names
        self.network, self.decode, self.pixels, self.half = network, decode, pixels, half
        self.mean, self.std = (Tensor(values) for values in preprocess.pixel_mean_std())
        if half:
            for parameter in network.get_parameters():
                parameter.set_dtype(ms.float16)
        self.set_train(False)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        if self.pixels:
            x = ((x.astype(ms.float32) - self.mean) / self.std).transpose(0, 3, 1, 2)
        results = self.network(x.astype(ms.float16) if self.half else x)
        if self.decode is not None:
            return self.decode(*results)
        return results.astype(ms.float32) if self.half else results


def image_shape(size: int, input_type: InputType) -> list[int]:
    """Return the shape of one image of `size` pixels a side in the layout of the input, without the batch."""
    return [size, size, 3] if LAYOUTS[input_type] == "NHWC" else [3, size, size]


def as_input(pixels: np.ndarray, preprocess: Preprocess, input_type: InputType) -> np.ndarray:
    """Turn pixels, uint8 (n, size, size, 3), into an input of the given type."""
    return pixels if input_type == "uint8" else preprocess.normalize(pixels)

"""The layers that blocks consist of, and the initialization of weights."""

from __future__ import annotations

from dataclasses import dataclass

import mindspore as ms
import numpy as np
from mindspore import Tensor, nn, ops

from src.design.architecture import Padding, Style


@dataclass(frozen=True)
class Norm:
    """How training sets up BatchNorm. Calling it returns the Cell, whose epsilon is that of the network's style."""

    momentum: float = 0.9  # share of the running statistics that a step keeps: PyTorch calls this momentum 0.1
    sync: bool = False  # use the statistics of the batches of all ranks, which MindSpore supports on Ascend only

    def __call__(self, channels: int, style: Style) -> nn.Cell:
        kind = nn.SyncBatchNorm if self.sync else nn.BatchNorm2d
        return kind(channels, momentum=self.momentum, eps=style.bn_epsilon)


def convolution(
    inputs: int,
    outputs: int,
    kernel: int,
    stride: int = 1,
    groups: int = 1,
    bias: bool = False,
    padding: Padding = "symmetric",
) -> nn.Conv2d:
    """Return a convolution that makes a map of n pixels one of ceil(n / stride); for the padding see `Style`.

    With stride 1 and an odd kernel both paddings are k//2 on each side. Exporters read that form more easily.
    """
    how = {"pad_mode": "pad", "padding": kernel // 2}
    if padding == "same" and stride > 1:
        how = {"pad_mode": "same"}
    return nn.Conv2d(inputs, outputs, kernel, stride, group=groups, has_bias=bias, **how)


BATCH_NORMS = (nn.BatchNorm2d, nn.SyncBatchNorm)


def linear(x: Tensor) -> Tensor:
    """Return x: no activation."""
    return x


def swish(x: Tensor) -> Tensor:
    """Return x * sigmoid(x). The formula is written out because not every exporter supports SiLU."""
    return x * ops.sigmoid(x)


def hard_sigmoid(x: Tensor) -> Tensor:
    """Return relu6(x + 3) / 6. The formula is written out because ONNX export does not support HSigmoid."""
    # `x * (1 / 6)` would export as `Muls`, which is not in MindSpore's list of Ascend operators.
    return ops.mul(ops.relu6(x + 3), 1 / 6)


def hard_swish(x: Tensor) -> Tensor:
    """Return x * hard_sigmoid(x)."""
    return x * hard_sigmoid(x)


ACTIVATIONS = {"silu": swish, "relu": ops.relu, "hard_swish": hard_swish, "linear": linear}
GATES = {"sigmoid": ops.sigmoid, "hard_sigmoid": hard_sigmoid}


class SqueezeExcite(nn.Cell):
    """Squeeze-excite: scale each channel by a gate in [0, 1], (N, channels, H, W) to (N, channels, H, W).

    The gates are computed from the means of all channels, through a layer of `reduced` channels.
    """

    def __init__(self, channels: int, reduced: int, style: Style = Style()) -> None:
        super().__init__()
        self.conv_reduce = convolution(channels, reduced, 1, bias=True)
        self.conv_expand = convolution(reduced, channels, 1, bias=True)
        self.act, self.gate = ACTIVATIONS[style.se_activation], GATES[style.se_gate]

    def construct(self, x: Tensor) -> Tensor:
        gate = x.mean((2, 3), keep_dims=True)
        gate = self.conv_expand(self.act(self.conv_reduce(gate)))
        return x * self.gate(gate)


def initialize_weights(network: nn.Cell) -> None:
    """Initialize convolutions and linear layers by EfficientNet's rule, from MindSpore's global seed (`ms.set_seed`).

    The rule is timm's `_init_weight_goog` with the corrected fan-out of grouped convolutions. Convolutions are normal
    with variance 2 / (k * k * outputs / groups). Linear layers are uniform within 1/sqrt(outputs). Biases are zero.
    A classifier of fewer than 1000 classes is initialized like one of 1000 classes, because the rule would give it
    large logits and a slow start.
    """
    rng = np.random.default_rng(ms.get_seed())
    for _, cell in network.cells_and_names():
        if isinstance(cell, nn.Conv2d):
            fan_out = cell.weight.shape[0] * cell.weight.shape[2] * cell.weight.shape[3] // cell.group
            _assign(cell.weight, rng.normal(0, np.sqrt(2 / fan_out), cell.weight.shape))
        elif isinstance(cell, nn.Dense):
            bound = 1 / np.sqrt(max(cell.out_channels, 1000))
            _assign(cell.weight, rng.uniform(-bound, bound, cell.weight.shape))
        if isinstance(cell, (nn.Conv2d, nn.Dense)) and cell.has_bias:
            _assign(cell.bias, np.zeros(cell.bias.shape))


def _assign(parameter: ms.Parameter, values: np.ndarray) -> None:
    parameter.set_data(Tensor(values.astype(np.float32)))

"""Cells that the blocks of all families are made of, and their initialisation."""

from __future__ import annotations

from dataclasses import dataclass

import mindspore as ms
import numpy as np
from mindspore import Tensor, nn, ops

from src.design.architecture import Style


@dataclass(frozen=True)
class Norm:
    """BatchNorm settings: `momentum` is what the running average keeps (0.9 here is 0.1 in PyTorch).

    `sync`: normalize over the batches of all ranks together, which MindSpore does on Ascend only.
    """

    momentum: float = 0.9
    epsilon: float = 1e-5
    sync: bool = False

    def __call__(self, channels: int) -> nn.Cell:
        kind = nn.SyncBatchNorm if self.sync else nn.BatchNorm2d
        return kind(channels, momentum=self.momentum, eps=self.epsilon)


def convolution(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, bias: bool = False):
    """A convolution with symmetric padding k//2, as in the authors' code (not TensorFlow's `same`)."""
    return nn.Conv2d(inputs, outputs, kernel, stride, pad_mode="pad", padding=kernel // 2, group=groups, has_bias=bias)


BATCH_NORMS = (nn.BatchNorm2d, nn.SyncBatchNorm)


def linear(x: Tensor) -> Tensor:
    """No activation."""
    return x


def swish(x: Tensor) -> Tensor:
    """x * sigmoid(x), spelt out because not every exporter knows SiLU."""
    return x * ops.sigmoid(x)


def hard_sigmoid(x: Tensor) -> Tensor:
    """relu6(x + 3) / 6, spelt out because ONNX export knows no HSigmoid.

    `*` with a number would give Muls, an operator that is stated nowhere to run on Ascend.
    """
    return ops.mul(ops.relu6(x + 3), 1 / 6)


def hard_swish(x: Tensor) -> Tensor:
    """x * hard_sigmoid(x)."""
    return x * hard_sigmoid(x)


ACTIVATIONS = {"silu": swish, "relu": ops.relu, "hard_swish": hard_swish, "linear": linear}
GATES = {"sigmoid": ops.sigmoid, "hard_sigmoid": hard_sigmoid}


class SqueezeExcite(nn.Cell):
    """Scale each channel by a gate computed from the channels' means (N, C, H, W -> N, C, H, W)."""

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
    """EfficientNet's initialisation, drawn from MindSpore's global seed (`ms.set_seed`).

    Convolutions: normal of variance 2 / (k * k * outputs / groups); linear layers: uniform within 1/sqrt(outputs);
    biases zero. (timm's `_init_weight_goog`, with its corrected fan-out of grouped convolutions.) A classifier of
    fewer than ImageNet's 1000 outputs starts like one of 1000: the rule would give it huge logits and a slow start.
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

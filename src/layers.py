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


class Uniform(nn.Cell):
    """Random numbers in [0, 1) that are a function of (global seed, salt, how often the Cell was called before).

    A counter, hashed (MurmurHash3's finaliser). MindSpore's own generator has a state that cannot be saved, and several
    dropouts in one graph race for it, so that no run could be repeated. The counter is a parameter: it is kept in
    checkpoints and says nothing else.
    """

    def __init__(self, salt: int) -> None:
        super().__init__()
        self.salt = salt
        self.vary(0)
        self.spread_index, self.spread_calls = _int32(0x9E3779B1), _int32(0x165667B1)
        self.mix1, self.mix2 = _int32(0x85EBCA6B), _int32(0xC2B2AE35)
        self.calls = ms.Parameter(Tensor(0, ms.int32), requires_grad=False)

    def vary(self, stream: int) -> None:
        """Take another stream of numbers; call it before the first of them is drawn."""
        bits = (ms.get_seed() or 0) * 0x85EBCA6B + self.salt * 0x27D4EB2F + stream * 0x85157AF5 + 1
        self.key = _int32(bits)

    def construct(self, count: int) -> Tensor:
        """`count` numbers, float32 (count,)."""
        bits = ops.arange(count).astype(ms.int32) * self.spread_index + (self.calls * self.spread_calls + self.key)
        bits = ops.depend(bits, ops.assign_add(self.calls, Tensor(1, ms.int32)))
        bits = _xor_shifted(bits, 16) * self.mix1
        bits = _xor_shifted(bits, 13) * self.mix2
        bits = ops.bitwise_and(_xor_shifted(bits, 16), 0xFFFFFF)
        return bits.astype(ms.float32) * (1 / 0x1000000)


class Dropout(nn.Cell):
    """In training, zero each feature of (N, C) with probability `rate` and scale the kept ones by 1/(1-rate)."""

    def __init__(self, rate: float, salt: int = 0) -> None:
        super().__init__()
        self.rate = rate
        self.uniform = Uniform(salt) if rate > 0 else None

    def construct(self, x: Tensor) -> Tensor:
        if self.training and self.rate > 0:
            rows, columns = self.mask_size(x)
            kept = self.uniform(rows * columns) >= self.rate
            shape = (rows, columns) + (1,) * (x.ndim - 2)
            x = x * kept.reshape(shape).astype(x.dtype) / (1 - self.rate)
        return x

    def mask_size(self, x: Tensor) -> tuple[int, int]:
        """Images and channels that fall or stay on their own."""
        return x.shape[0], x.shape[1]


class DropPath(Dropout):
    """In training, drop the whole residual branch of an image with probability `rate`; kept ones grow by 1/(1-rate)."""

    def mask_size(self, x: Tensor) -> tuple[int, int]:
        return x.shape[0], 1


def vary_random_cells(network: nn.Cell, stream: int) -> None:
    """Let every random Cell of a network draw from another stream, such as a rank's own."""
    for _, cell in network.cells_and_names():
        if isinstance(cell, Uniform):
            cell.vary(stream)


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


def _int32(bits: int) -> Tensor:
    """The signed integer with the low 32 bits of `bits`."""
    return Tensor((bits + 2**31) % 2**32 - 2**31, ms.int32)  # as a Tensor: some versions round a Python number


def _xor_shifted(bits: Tensor, distance: int) -> Tensor:
    """bits ^ (bits >> distance) with zeros shifted in, on signed integers."""
    shifted = ops.bitwise_and(ops.bitwise_right_shift(bits, distance), 2 ** (32 - distance) - 1)
    return ops.bitwise_xor(bits, shifted)

"""The layers that blocks consist of, and the initialization of weights."""

from __future__ import annotations

from dataclasses import dataclass

import mindspore as ms
import numpy as np
from mindspore import Parameter, Tensor, nn, ops

from src.design.architecture import Padding, Style
from src.kernels import operators
from src.kernels.library import library


@dataclass(frozen=True)
class Norm:
    """How training sets up BatchNorm.

    Calling it returns BatchNorm with the activation behind it; its epsilon is that of the network's style.
    """

    momentum: float = 0.9  # share of the running statistics that a step keeps: PyTorch calls this momentum 0.1
    sync: bool = False  # use the statistics of the batches of all ranks, which MindSpore supports on Ascend only

    def __call__(self, channels: int, style: Style, activation: str = "linear") -> nn.Cell:
        kind = SyncNormAct if self.sync else NormAct
        return kind(channels, activation, self.momentum, style.bn_epsilon)


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
    kind = nn.Conv2d
    if groups == inputs == outputs and kernel in Depthwise.kernels and stride <= 2 and not bias:
        kind = Depthwise
    elif kernel == stride == groups == 1 and not bias:
        kind = Pointwise
    elif inputs <= Stem.most_inputs and groups == 1 and kernel in Depthwise.kernels and stride <= 2 and not bias:
        kind = Stem
    return kind(inputs, outputs, kernel, stride, group=groups, has_bias=bias, **how)


class Depthwise(nn.Conv2d):
    """A convolution of each channel by itself, with stride 1 or 2: (N, C, H, W) to (N, C, H / stride, W / stride)."""

    kernels = (3, 5, 7)  # sizes
    native: ops.Custom | None = None

    def use_native(self) -> None:
        """Compute with the CPU kernel."""
        self.settings = operators.settings(*self.numbers())
        self.native = operators.depthwise(self.stride[-1])

    def numbers(self) -> tuple[float, ...]:
        """Return the settings that CPU kernels take: the stride, and 1 for TensorFlow's padding."""
        return self.stride[-1], self.pad_mode == "same"

    def construct(self, x: Tensor) -> Tensor:
        return super().construct(x) if self.native is None else self.native(x, self.weight, self.settings)


class Pointwise(nn.Conv2d):
    """A 1x1 convolution: (N, inputs, H, W) to (N, outputs, H, W)."""

    native: ops.Custom | None = None

    def use_native(self) -> None:
        """Compute with the CPU kernel."""
        self.native = operators.pointwise()

    def construct(self, x: Tensor) -> Tensor:
        return super().construct(x) if self.native is None else self.native(x, self.weight)


class Stem(nn.Conv2d):
    """A convolution of the few channels of an image, with stride 1 or 2."""

    most_inputs = 4
    native: ops.Custom | None = None

    def use_native(self) -> None:
        """Compute with the CPU kernel."""
        stride, is_same = self.stride[-1], self.pad_mode == "same"
        self.settings = operators.settings(stride, is_same)
        self.native = operators.stem(self.out_channels, self.kernel_size[0], stride, is_same)

    def construct(self, x: Tensor) -> Tensor:
        return super().construct(x) if self.native is None else self.native(x, self.weight, self.settings)


class GlobalMean(nn.Cell):
    """The mean of each map: (N, C, H, W) to (N, C), or to (N, C, 1, 1) with `keep_dims`."""

    native: ops.Custom | None = None

    def __init__(self, keep_dims: bool = False) -> None:
        super().__init__()
        self.keep_dims = keep_dims

    def use_native(self) -> None:
        """Compute with the CPU kernel."""
        self.native = operators.global_mean()

    def construct(self, x: Tensor) -> Tensor:
        if self.native is None:
            return x.mean((2, 3), keep_dims=self.keep_dims)
        means = self.native(x)
        return means.reshape((x.shape[0], x.shape[1], 1, 1)) if self.keep_dims else means


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


ACTIVATIONS = {"silu": swish, "relu": ops.relu, "relu6": ops.relu6, "hard_swish": hard_swish, "linear": linear}
GATES = {"sigmoid": ops.sigmoid, "hard_sigmoid": hard_sigmoid}


class NormAct(nn.BatchNorm2d):
    """BatchNorm and the activation behind it. The parameters are those of BatchNorm."""

    native: ops.Custom | None = None
    half: ms.Type | None = None  # type of the activation, where half precision excepts BatchNorm

    def __init__(self, channels: int, activation: str, momentum: float, eps: float) -> None:
        super().__init__(channels, momentum=momentum, eps=eps)
        self.activation, self.act = activation, ACTIVATIONS[activation]

    def use_native(self) -> None:
        """Compute with the CPU kernel."""
        self.moving = operators.settings(*self.numbers(training=False))
        self.of_batch = operators.settings(*self.numbers(training=True))
        self.native = operators.norm_act()

    def tensors(self) -> tuple[Parameter, ...]:
        """Return gamma, beta, moving mean and moving variance, as CPU kernels take them."""
        return self.gamma, self.beta, self.moving_mean, self.moving_variance

    def numbers(self, *, training: bool) -> tuple[float, ...]:
        """Return the settings that CPU kernels take: kept share, epsilon, 1 for statistics of the batch, activation."""
        of_batch = training and self.use_batch_statistics is not False
        return 1 - self.momentum, self.eps, of_batch, operators.activation_number(self.activation)

    def construct(self, x: Tensor) -> Tensor:
        if self.native is not None:
            settings = self.of_batch if self.training else self.moving
            return self.native(x, *self.tensors(), settings)[0]
        y = super().construct(x)
        return self.act(y if self.half is None else y.astype(self.half))


class SyncNormAct(nn.SyncBatchNorm):
    """BatchNorm over the batches of all ranks, which MindSpore has on Ascend only, and the activation behind it."""

    def __init__(self, channels: int, activation: str, momentum: float, eps: float) -> None:
        super().__init__(channels, momentum=momentum, eps=eps)
        self.activation, self.act = activation, ACTIVATIONS[activation]

    def construct(self, x: Tensor) -> Tensor:
        return self.act(super().construct(x))


class Activation(nn.Cell):
    """An activation by its name."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.act = ACTIVATIONS[name]

    def construct(self, x: Tensor) -> Tensor:
        return self.act(x)


class SqueezeExcite(nn.Cell):
    """Squeeze-excite: scale each channel by a gate in [0, 1], (N, channels, H, W) to (N, channels, H, W).

    The gates are computed from the means of all channels, through a layer of `reduced` channels.
    """

    native: ops.Custom | None = None

    def __init__(self, channels: int, reduced: int, style: Style = Style()) -> None:
        super().__init__()
        self.conv_reduce = convolution(channels, reduced, 1, bias=True)
        self.conv_expand = convolution(reduced, channels, 1, bias=True)
        self.act, self.gate = ACTIVATIONS[style.se_activation], GATES[style.se_gate]
        self.names = style.se_activation, style.se_gate

    def use_native(self) -> None:
        """Compute with the CPU kernel."""
        self.settings = operators.settings(*map(operators.activation_number, self.names))
        self.native = operators.squeeze_excite()

    def construct(self, x: Tensor) -> Tensor:
        if self.native is not None:
            reduce, expand = self.conv_reduce, self.conv_expand
            return self.native(x, reduce.weight, reduce.bias, expand.weight, expand.bias, self.settings)[0]
        gate = x.mean((2, 3), keep_dims=True)
        gate = self.conv_expand(self.act(self.conv_reduce(gate)))
        return x * self.gate(gate)


def use_native_kernels(network: nn.Cell) -> None:
    """Let the CPU kernels compute what they can of a float32 network, if `choose_kernels` has found them usable.

    Call it after `freeze` and before the first call of the network. Exported networks keep MindSpore's operators.
    """
    if library() is not None:
        for _, cell in network.cells_and_names():
            if hasattr(cell, "use_native") and cell.native is None:
                cell.use_native()


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

"""The kernels as MindSpore operators with gradients. `native/` says what each of them computes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import mindspore as ms
import numpy as np
from mindspore import Tensor, ops

from src.kernels.library import library

ACTIVATIONS = (  # numbered as in activations.h
    *("linear", "relu", "silu", "hard_swish", "sigmoid", "hard_sigmoid", "relu6"),
)

Shape = Sequence[int]


def settings(*numbers: float) -> Tensor:
    """Return the settings of a kernel, which takes them as a tensor."""
    return Tensor(np.array(numbers, np.float32))


def activation_number(name: str) -> int:
    """Return the number by which kernels know an activation."""
    return ACTIVATIONS.index(name)


def depthwise(stride: int) -> ops.Custom:
    """Return the operator (x, weight, settings) -> y; settings: stride, and 1 for TensorFlow's padding."""
    backward = _operator("DepthwiseBackward", lambda x, weight, settings, dy: (x, weight), outputs=2)

    def bprop(x: Tensor, weight: Tensor, settings: Tensor, out: Tensor, dy: Tensor) -> tuple[Tensor, ...]:
        dx, dweight = backward(x, weight, settings, dy)
        return dx, dweight, ops.zeros_like(settings)

    def shape(x: Shape, weight: Shape, settings: Shape) -> Shape:
        return x[0], x[1], (x[2] + stride - 1) // stride, (x[3] + stride - 1) // stride

    operator = _operator("DepthwiseForward", shape, bprop=bprop)
    operator.add_prim_attr("stride", stride)  # PyNative mode tells operators apart by name, attributes and shapes alone
    return operator


def pointwise() -> ops.Custom:
    """Return the operator (x, weight) -> y of a 1x1 convolution."""
    backward = _operator("PointwiseBackward", lambda x, weight, dy: (x, weight), outputs=2)

    def bprop(x: Tensor, weight: Tensor, out: Tensor, dy: Tensor) -> tuple[Tensor, ...]:
        return backward(x, weight, dy)

    def shape(x: Shape, weight: Shape) -> Shape:
        return x[0], weight[0], x[2], x[3]

    return _operator("PointwiseForward", shape, bprop=bprop)


def stem(outputs: int, kernel: int, stride: int, same: bool) -> ops.Custom:
    """Return the operator (x, weight, settings) -> y of a convolution of few channels; settings as `depthwise`.

    MindSpore's operator computes the gradient of x, which a training does not ask for.
    """
    backward = _operator("StemBackward", lambda x, weight, settings, dy: weight)
    padding = {"pad_mode": "same"} if same else {"pad_mode": "pad", "pad": kernel // 2}
    input_gradient = ops.Conv2DTranspose(outputs, kernel, stride=stride, **padding)

    def bprop(x: Tensor, weight: Tensor, settings: Tensor, out: Tensor, dy: Tensor) -> tuple[Tensor, ...]:
        return input_gradient(dy, weight, x.shape), backward(x, weight, settings, dy), ops.zeros_like(settings)

    def shape(x: Shape, weight: Shape, settings: Shape) -> Shape:
        return x[0], weight[0], (x[2] + stride - 1) // stride, (x[3] + stride - 1) // stride

    operator = _operator("StemForward", shape, bprop=bprop)
    operator.add_prim_attr("stride", stride)
    return operator


def global_mean() -> ops.Custom:
    """Return the operator x (N, C, H, W) -> the means of the maps (N, C)."""
    backward = _operator("GlobalMeanBackward", lambda x, dmeans: x)

    def bprop(x: Tensor, out: Tensor, dmeans: Tensor) -> tuple[Tensor, ...]:
        return (backward(x, dmeans),)

    return _operator("GlobalMeanForward", lambda x: (x[0], x[1]), bprop=bprop)


def norm_depthwise(stride: int) -> ops.Custom:
    """Return the operator for BatchNorm, activation, depthwise convolution, BatchNorm and activation.

    (x; gamma, beta, moving mean, moving variance; weight; the same four; settings) -> y, and what its gradient needs.
    The settings are those of `norm_act` for both norms, and of `depthwise`.
    """

    def backward_shape(x: Shape, gamma: Shape, beta: Shape, weight: Shape, *others: Shape) -> tuple[Shape, ...]:
        return x, gamma, beta, weight, gamma, beta

    backward = _operator("NormDepthwiseBackward", backward_shape, outputs=6)

    def bprop(
        x: Tensor,
        gamma1: Tensor,
        beta1: Tensor,
        mean1: Tensor,
        variance1: Tensor,
        weight: Tensor,
        gamma2: Tensor,
        beta2: Tensor,
        mean2: Tensor,
        variance2: Tensor,
        settings: Tensor,
        out: Any,
        dy: Any,
    ) -> tuple[Tensor, ...]:
        dx, dgamma1, dbeta1, dweight, dgamma2, dbeta2 = backward(
            x, gamma1, beta1, weight, gamma2, beta2, settings, out[1], out[2], out[3], dy[0]
        )
        first = dx, dgamma1, dbeta1, ops.zeros_like(mean1), ops.zeros_like(variance1)
        last = dgamma2, dbeta2, ops.zeros_like(mean2), ops.zeros_like(variance2), ops.zeros_like(settings)
        return (*first, dweight, *last)

    def shape(x: Shape, *others: Shape) -> tuple[Shape, ...]:
        y = x[0], x[1], (x[2] + stride - 1) // stride, (x[3] + stride - 1) // stride
        return y, y, (2, x[1]), (2, x[1])

    operator = _operator("NormDepthwiseForward", shape, outputs=4, bprop=bprop, in_place=True)
    operator.add_prim_attr("stride", stride)
    return operator


def norm_act() -> ops.Custom:
    """Return the operator (x, gamma, beta, moving mean, moving variance, settings) -> y, statistics (2, C).

    The settings are: kept share of the moving statistics, epsilon, 1 for statistics of the batch, activation. The
    moving statistics are then changed in place.
    """
    backward = _operator(
        "NormActBackward", lambda x, gamma, beta, statistics, settings, dy: (x, gamma, beta), outputs=3
    )

    def bprop(
        x: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, variance: Tensor, settings: Tensor, out: Any, dy: Any
    ) -> tuple[Tensor, ...]:
        dx, dgamma, dbeta = backward(x, gamma, beta, out[1], settings, dy[0])
        return dx, dgamma, dbeta, ops.zeros_like(mean), ops.zeros_like(variance), ops.zeros_like(settings)

    def shape(x: Shape, gamma: Shape, beta: Shape, mean: Shape, variance: Shape, settings: Shape) -> tuple[Shape, ...]:
        return x, (2, x[1])

    return _operator("NormActForward", shape, outputs=2, bprop=bprop, in_place=True)


def squeeze_excite() -> ops.Custom:
    """Return the operator (x, weight1, bias1, weight2, bias2, settings) -> y, and what its gradient needs.

    The settings are the numbers of the activation between the two layers and of the gate.
    """

    def backward_shape(x: Shape, weight1: Shape, weight2: Shape, *others: Shape) -> tuple[Shape, ...]:
        return x, weight1, (weight1[0],), weight2, (weight2[0],)

    backward = _operator("SqueezeExciteBackward", backward_shape, outputs=5)

    def bprop(
        x: Tensor, weight1: Tensor, bias1: Tensor, weight2: Tensor, bias2: Tensor, settings: Tensor, out: Any, dy: Any
    ) -> tuple[Tensor, ...]:
        gradients = backward(x, weight1, weight2, settings, out[1], out[2], out[3], dy[0])
        return (*gradients, ops.zeros_like(settings))

    def shape(
        x: Shape, weight1: Shape, bias1: Shape, weight2: Shape, bias2: Shape, settings: Shape
    ) -> tuple[Shape, ...]:
        return x, (x[0], x[1]), (x[0], weight1[0]), (x[0], x[1])

    return _operator("SqueezeExciteForward", shape, outputs=4, bprop=bprop)


def rmsprop_update() -> ops.Custom:
    """Return the operator (numbers (4), decays (T), T weights, T mean squares, T moments, T gradients) -> done (1).

    All updates change what they take but the gradients; `decays` are weight decays. The numbers are: rate, decay of
    the mean square, momentum, epsilon.
    """
    return _operator("RMSPropUpdate", lambda *shapes: (1,), in_place=True)


def sgd_update() -> ops.Custom:
    """Return the operator (numbers (3), decays (T), T weights, T moments, T gradients) -> done (1).

    The numbers are: rate, momentum, 1 for Nesterov's momentum.
    """
    return _operator("SGDUpdate", lambda *shapes: (1,), in_place=True)


def adamw_update() -> ops.Custom:
    """Return the operator (numbers (6), decays (T), T weights, T averages, T squares, T gradients) -> done (1).

    The numbers are: rate, 1 - beta1^t and 1 - beta2^t at step t, beta1, beta2, epsilon.
    """
    return _operator("AdamWUpdate", lambda *shapes: (1,), in_place=True)


def average_update() -> ops.Custom:
    """Return the operator (rate (1), T averages, T tensors) -> done (1), which moves the averages by that rate."""
    return _operator("AverageUpdate", lambda *shapes: (1,), in_place=True)


def _operator(
    name: str, shape: Callable, *, outputs: int = 1, bprop: Callable | None = None, in_place: bool = False
) -> ops.Custom:
    types = ms.float32 if outputs == 1 else (ms.float32,) * outputs
    operator = ops.Custom(f"{library()}:{name}", shape, lambda *inputs: types, "aot", bprop=bprop)
    if in_place:  # else the graph compiler leaves it out, or moves it
        operator.add_prim_attr("side_effect_mem", True)
    return operator

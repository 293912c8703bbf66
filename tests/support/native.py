"""The CPU kernels without MindSpore, and float64 references that are computed with NumPy alone."""

import ctypes
import functools

import numpy as np

from src.kernels.build import built_library

ACTIVATIONS = (  # numbered as in activations.h
    *("linear", "relu", "silu", "hard_swish", "sigmoid", "hard_sigmoid", "relu6"),
)


@functools.cache
def built():
    """The library for this machine."""
    return ctypes.CDLL(str(built_library()))


def call(name, inputs, shapes, library=None):
    """Call a kernel; return its outputs, of these shapes, or raise with its fault. Inputs may change in place."""
    outputs = [np.full(shape, np.nan, np.float32) for shape in shapes]
    tensors = [*inputs, *outputs]
    assert all(tensor.dtype == np.float32 and tensor.flags.c_contiguous for tensor in tensors)
    count = len(tensors)
    dims = [(ctypes.c_int64 * max(tensor.ndim, 1))(*tensor.shape) for tensor in tensors]
    fault = getattr(library or built(), name)(
        count,
        (ctypes.c_void_p * count)(*(tensor.ctypes.data for tensor in tensors)),
        (ctypes.c_int * count)(*(tensor.ndim for tensor in tensors)),
        (ctypes.POINTER(ctypes.c_int64) * count)(*(ctypes.cast(d, ctypes.POINTER(ctypes.c_int64)) for d in dims)),
        (ctypes.c_char_p * count)(*([b"float32"] * count)),
        None,
        None,
    )
    if fault:
        raise ValueError(f"{name}: fault {fault}")
    return outputs


def settings(*numbers):
    return np.array(numbers, np.float32)


def number(activation):
    return ACTIVATIONS.index(activation)


def relative_error(found, expected):
    """The largest difference, relative to the largest expected value."""
    return np.abs(found - expected).max() / max(np.abs(expected).max(), 1e-30)


def padding(size, kernel, stride, same):
    """Pixels before and behind `size` pixels."""
    total = max(0, (-(-size // stride) - 1) * stride + kernel - size) if same else kernel // 2 * 2
    return total // 2, total - total // 2


def windows(x, kernel, stride, same):
    """The tap (row, column) of a kernel, and a view of the padded images that it reads, for each tap."""
    sides = [padding(size, kernel, stride, same) for size in x.shape[2:]]
    padded = np.pad(x, [(0, 0), (0, 0), *sides])
    rows, columns = (-(-size // stride) for size in x.shape[2:])
    for row in range(kernel):
        for column in range(kernel):
            view = padded[:, :, row : row + stride * rows : stride, column : column + stride * columns : stride]
            yield (row, column), view[:, :, :rows, :columns], padded, sides


def depthwise(x, weight, stride, same):
    x, weight = x.astype(np.float64), weight.astype(np.float64)
    kernel = weight.shape[-1]
    return sum(
        weight[:, 0, row, column][:, None, None] * view
        for (row, column), view, _, _ in windows(x, kernel, stride, same)
    )


def depthwise_gradients(x, weight, stride, same, dy):
    x, weight, dy = (value.astype(np.float64) for value in (x, weight, dy))
    kernel, dweight = weight.shape[-1], np.zeros_like(weight)
    sides = [padding(size, kernel, stride, same) for size in x.shape[2:]]
    spread = np.zeros((*x.shape[:2], *(size + sum(side) for size, side in zip(x.shape[2:], sides))))
    rows, columns = dy.shape[2:]
    for (row, column), view, _, _ in windows(x, kernel, stride, same):
        dweight[:, 0, row, column] = (view * dy).sum((0, 2, 3))
        target = spread[:, :, row : row + stride * rows : stride, column : column + stride * columns : stride]
        target += weight[:, 0, row, column][:, None, None] * dy
    (top, _), (left, _) = sides
    return spread[:, :, top : top + x.shape[2], left : left + x.shape[3]], dweight


def convolution(x, weight, stride, same):
    """A full convolution: the taps of each input channel, mixed by the weights."""
    views = [view for _, view, _, _ in windows(x.astype(np.float64), weight.shape[-1], stride, same)]
    return np.einsum("oit,tnihw->nohw", weight.astype(np.float64).reshape(*weight.shape[:2], -1), np.stack(views))


def convolution_gradient(x, weight, stride, same, dy):
    """The gradient of the weights."""
    views = [view for _, view, _, _ in windows(x.astype(np.float64), weight.shape[-1], stride, same)]
    return np.einsum("nohw,tnihw->oit", dy.astype(np.float64), np.stack(views)).reshape(weight.shape)


def activate(name, v):
    """An activation and its derivative."""
    sigmoid, hard = 1 / (1 + np.exp(-v)), np.clip(v + 3, 0, 6) / 6
    inside = ((v > -3) & (v < 3)) / 6
    return {
        "linear": (v, np.ones_like(v)),
        "relu": (np.maximum(v, 0), (v > 0) * 1.0),
        "silu": (v * sigmoid, sigmoid * (1 + v * (1 - sigmoid))),
        "hard_swish": (v * hard, hard + v * inside),
        "sigmoid": (sigmoid, sigmoid * (1 - sigmoid)),
        "hard_sigmoid": (hard, inside),
        "relu6": (np.clip(v, 0, 6), ((v > 0) & (v < 6)) * 1.0),
    }[name]


def norm_act(x, gamma, beta, mean, variance, epsilon, activation, dy=None):
    """BatchNorm with statistics of the batch (`mean` None) or given ones: y, or the gradients of x, gamma and beta."""
    x, gamma, beta = (value.astype(np.float64) for value in (x, gamma, beta))
    axes, of_batch = (0, 2, 3), mean is None
    if of_batch:
        mean, variance = x.mean(axes), x.var(axes)
    mean, deviation = mean[:, None, None], np.sqrt(variance + epsilon)[:, None, None]
    normalized = (x - mean) / deviation
    y, slope = activate(activation, normalized * gamma[:, None, None] + beta[:, None, None])
    if dy is None:
        return y
    before = dy * slope
    dgamma, dbeta = (before * normalized).sum(axes), before.sum(axes)
    dnormalized = before * gamma[:, None, None]
    if of_batch:  # derivatives of mean and deviation
        dnormalized = (
            dnormalized
            - dnormalized.mean(axes, keepdims=True)
            - normalized * (dnormalized * normalized).mean(axes, keepdims=True)
        )
    return dnormalized / deviation, dgamma, dbeta


def squeeze_excite(x, weight1, bias1, weight2, bias2, activation, gate, dy=None):
    """y, or the gradients of all operands."""
    x, weight1, bias1, weight2, bias2 = (value.astype(np.float64) for value in (x, weight1, bias1, weight2, bias2))
    w1, w2, pixels = weight1[:, :, 0, 0], weight2[:, :, 0, 0], x.shape[2] * x.shape[3]
    means = x.mean((2, 3))
    hidden, slope = activate(activation, means @ w1.T + bias1)
    gates, gate_slope = activate(gate, hidden @ w2.T + bias2)
    if dy is None:
        return x * gates[:, :, None, None]
    douter = (dy * x).sum((2, 3)) * gate_slope
    dinner = douter @ w2 * slope
    dx = dy * gates[:, :, None, None] + (dinner @ w1 / pixels)[:, :, None, None]
    dw1, dw2 = dinner.T @ means, douter.T @ hidden
    return dx, dw1[:, :, None, None], dinner.sum(0), dw2[:, :, None, None], douter.sum(0)

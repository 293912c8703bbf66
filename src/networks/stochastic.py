"""Dropout and drop path with a random state that checkpoints keep, so that a resumed run repeats every bit."""

from __future__ import annotations

import mindspore as ms
from mindspore import Tensor, nn, ops


class Uniform(nn.Cell):
    """Uniform random numbers in [0, 1), a function of the global seed, a salt and the number of calls before.

    The numbers are hashes of a counter (the finalizer of MurmurHash3). The counter is a parameter, so that checkpoints
    keep it. MindSpore's own generator has a state that cannot be saved, and several dropouts in one graph race for this
    state, so that a run could not be repeated.

    Args:
        salt: a number that differs between the random Cells of a network.
    """

    def __init__(self, salt: int) -> None:
        super().__init__()
        self.salt = salt
        self.use_stream(0)
        self.spread_index, self.spread_calls = _int32(0x9E3779B1), _int32(0x165667B1)
        self.mix1, self.mix2 = _int32(0x85EBCA6B), _int32(0xC2B2AE35)
        self.calls = ms.Parameter(Tensor(0, ms.int32), requires_grad=False)

    def use_stream(self, stream: int) -> None:
        """Switch to an independent stream of numbers, such as one per rank. Call this before the first draw."""
        bits = (ms.get_seed() or 0) * 0x85EBCA6B + self.salt * 0x27D4EB2F + stream * 0x85157AF5 + 1
        self.key = _int32(bits)

    def construct(self, count: int) -> Tensor:
        """Return `count` numbers, float32 (count,)."""
        bits = ops.arange(count).astype(ms.int32) * self.spread_index + (self.calls * self.spread_calls + self.key)
        bits = ops.depend(bits, ops.assign_add(self.calls, Tensor(1, ms.int32)))
        bits = _xor_shifted(bits, 16) * self.mix1
        bits = _xor_shifted(bits, 13) * self.mix2
        bits = ops.bitwise_and(_xor_shifted(bits, 16), 0xFFFFFF)
        return bits.astype(ms.float32) * (1 / 0x1000000)


class Dropout(nn.Cell):
    """In training, zero each feature of (N, C) with probability `rate` and scale the others by 1/(1-rate)."""

    def __init__(self, rate: float, salt: int = 0) -> None:
        super().__init__()
        self.rate = rate
        if rate > 0:
            self.uniform = Uniform(salt)

    def construct(self, x: Tensor) -> Tensor:
        if self.training and self.rate > 0:
            rows, columns = self.mask_size(x)
            kept = self.uniform(rows * columns) >= self.rate
            shape = (rows, columns) + (1,) * (x.ndim - 2)
            x = x * kept.reshape(shape).astype(x.dtype) / (1 - self.rate)
        return x

    def mask_size(self, x: Tensor) -> tuple[int, int]:
        """Return the size of the mask (images, channels). Each of its elements is drawn independently."""
        return x.shape[0], x.shape[1]


class DropPath(Dropout):
    """In training, drop an image's residual branch with probability `rate` and scale kept branches by 1/(1-rate)."""

    def mask_size(self, x: Tensor) -> tuple[int, int]:
        return x.shape[0], 1


def use_random_stream(network: nn.Cell, stream: int) -> None:
    """Switch every random Cell of a network to an independent stream of numbers, such as one per rank."""
    for _, cell in network.cells_and_names():
        if isinstance(cell, Uniform):
            cell.use_stream(stream)


def _int32(bits: int) -> Tensor:
    """Return the signed integer with the low 32 bits of `bits`."""
    return Tensor((bits + 2**31) % 2**32 - 2**31, ms.int32)  # a Tensor, because some versions round Python numbers


def _xor_shifted(bits: Tensor, distance: int) -> Tensor:
    """Return bits ^ (bits >> distance) for signed integers, with zeros shifted in."""
    shifted = ops.bitwise_and(ops.bitwise_right_shift(bits, distance), 2 ** (32 - distance) - 1)
    return ops.bitwise_xor(bits, shifted)

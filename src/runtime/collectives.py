"""Collective operations: values that all ranks of a training exchange. In a process that runs alone they do nothing."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from itertools import accumulate

import mindspore as ms
import numpy as np
from mindspore import Tensor, nn, ops

from src.runtime.device import is_cpu
from src.runtime.distributed import is_first, ranks


class MeanOverRanks(nn.Cell):
    """The means over all ranks of float tensors with given `shapes`: the same bits on each rank, in one transfer."""

    def __init__(self, shapes: Sequence[tuple[int, ...]]) -> None:
        super().__init__()
        self.alone, self.share = ranks() == 1, 1 / ranks()
        # Ascend's compiler fuses all transfers that have the same `fusion` number. The CPU backend does not:
        # there the tensors are joined into one, because each transfer would wait for the one before.
        self.joined = is_cpu()
        if not self.alone:
            self.sum = ops.AllReduce().add_prim_attr("fusion", 1)
        self.join, self.cut, self.reshape = ops.Concat(), ops.Slice(), ops.Reshape()
        self.starts = tuple(accumulate((math.prod(shape) for shape in shapes[:-1]), initial=0))
        self.map = ops.HyperMap()  # compiles 100 times faster than a loop over as many tensors

    def construct(self, tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        if self.alone:
            return tensors
        if not self.joined:
            return self.map(self._mean, tensors)
        whole = self._mean(self.join(self.map(self._flat, tensors)))
        return self.map(ops.partial(self._part, whole), self.starts, tensors)

    def _mean(self, tensor: Tensor) -> Tensor:
        return self.sum(tensor) * self.share

    def _flat(self, tensor: Tensor) -> Tensor:
        return self.reshape(tensor, (-1,))

    def _part(self, whole: Tensor, start: int, tensor: Tensor) -> Tensor:
        return self.reshape(self.cut(whole, (start,), (tensor.size,)), tensor.shape)


class _AllGather(nn.Cell):
    """AllGather as a Cell: MindSpore's graph mode compiles it on every device."""

    def __init__(self) -> None:
        super().__init__()
        self.all_gather = ops.AllGather()

    def construct(self, x: Tensor) -> Tensor:
        return self.all_gather(x)


class _Broadcast(nn.Cell):
    """Broadcast from rank 0 as a Cell."""

    def __init__(self) -> None:
        super().__init__()
        self.broadcast = ops.Broadcast(0)

    def construct(self, x: Tensor) -> Tensor:
        return self.broadcast((x,))[0]


# One Cell serves all calls, because MindSpore compiles every new Cell again.
_all_gather_cell = functools.cache(_AllGather)
_broadcast_cell = functools.cache(_Broadcast)


def all_gather(values: np.ndarray) -> np.ndarray:
    """Return the arrays of all ranks, (ranks, *shape), on every rank.

    All ranks must give the same shape and the same type, of 4 or 8 bytes.
    """
    values = np.ascontiguousarray(values)
    if ranks() == 1:
        return values[None]
    words = values.reshape(-1).view(np.int32)  # every device can send this type
    gathered = _all_gather_cell()(Tensor(words)).asnumpy()
    return np.ascontiguousarray(gathered).view(values.dtype).reshape(ranks(), *values.shape)


def broadcast_from_first(data: bytes = b"") -> bytes:
    """Return the bytes of rank 0 on every rank; the other ranks need not give `data`."""
    if ranks() == 1:
        return data
    broadcast = _broadcast_cell()
    length = int(broadcast(Tensor([len(data)], ms.int32)).asnumpy()[0])
    words = np.zeros(-(-length // 4), np.int32)
    if is_first():
        words.view(np.uint8)[:length] = np.frombuffer(data, np.uint8)
    return broadcast(Tensor(words)).asnumpy().tobytes()[:length]

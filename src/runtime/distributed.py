"""Several processes as one training: who this one is, and what the ranks tell each other.

`msrun` starts the processes and says so in their environment. A process that runs alone is rank 0 of 1, and all that is
offered here then does nothing.
"""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Sequence
from itertools import accumulate

import mindspore as ms
import numpy as np
from mindspore import Tensor, communication, nn, ops

_place = (0, 1)  # rank, ranks


def launched() -> bool:
    """Whether `msrun` started this process."""
    return "MS_ROLE" in os.environ


def local_rank() -> int:
    """Number of this process, thus of its device, on this machine."""
    return int(os.environ.get("DEVICE_ID", 0))


def local_ranks() -> int:
    """How many of the processes share this machine (`src/launch/plan.py` says so; else all)."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", ranks()))


def join() -> None:
    """Meet the other processes. The scheduler, a process of msrun's own, stays in here until all is over.

    Raises:
        RuntimeError: the others did not come in time, or one of them is gone.
    """
    global _place
    if launched() and _place == (0, 1):
        communication.init()
        _place = communication.get_rank(), communication.get_group_size()


def rank() -> int:
    """Number of this process among all, 0 for the one that writes."""
    return _place[0]


def ranks() -> int:
    """How many processes train together."""
    return _place[1]


def is_first() -> bool:
    """Whether this process is the one that writes, logs and decides."""
    return rank() == 0


class MeanOverRanks(nn.Cell):
    """The means over all ranks of float tensors with given `shapes`, the same bits on each rank, in one transfer."""

    def __init__(self, shapes: Sequence[tuple[int, ...]]) -> None:
        super().__init__()
        self.alone, self.share = ranks() == 1, 1 / ranks()
        # Ascend's compiler fuses the transfers of one `fusion` number; on the CPU each would be waited for.
        self.joined = ms.get_context("device_target") == "CPU"
        self.sum = None if self.alone else ops.AllReduce().add_prim_attr("fusion", 1)
        self.join, self.cut, self.reshape = ops.Concat(), ops.Slice(), ops.Reshape()
        self.starts = tuple(accumulate((math.prod(shape) for shape in shapes[:-1]), initial=0))
        self.map = ops.HyperMap()  # compiles a hundred times faster than a loop over as many tensors

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


class _Collect(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.collect = ops.AllGather()

    def construct(self, x: Tensor) -> Tensor:
        return self.collect(x)


class _FromFirst(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.send = ops.Broadcast(0)

    def construct(self, x: Tensor) -> Tensor:
        return self.send((x,))[0]


@functools.cache
def _collect() -> _Collect:
    return _Collect()  # one for all calls: each Cell is compiled anew


@functools.cache
def _sender() -> _FromFirst:
    return _FromFirst()


def gather(values: np.ndarray) -> np.ndarray:
    """What each rank gives, (ranks, *shape), on every rank; all must give the same shape and a type of 4 or 8 bytes."""
    values = np.ascontiguousarray(values)
    if ranks() == 1:
        return values[None]
    words = _collect()(Tensor(values.reshape(-1).view(np.int32))).asnumpy()  # a type that every device can send
    return np.ascontiguousarray(words).view(values.dtype).reshape(ranks(), *values.shape)


def broadcast_from_first(data: bytes = b"") -> bytes:
    """The bytes that rank 0 gives, on every rank."""
    if ranks() == 1:
        return data
    send = _sender()
    length = int(send(Tensor([len(data)], ms.int32)).asnumpy()[0])
    words = np.zeros(-(-length // 4), np.int32)
    if is_first():
        words.view(np.uint8)[:length] = np.frombuffer(data, np.uint8)
    return send(Tensor(words)).asnumpy().tobytes()[:length]

"""Collective operations in a process that runs alone; tests/system/test_ranks.py runs them in several processes."""

import mindspore as ms
import numpy as np
from mindspore import Tensor

from src.runtime.collectives import MeanOverRanks, all_gather, broadcast_from_first


def test_all_gather_alone_adds_an_axis():
    values = np.float64([[1, np.nan], [3, 4]])

    gathered = all_gather(values)

    np.testing.assert_array_equal(gathered, values[None])
    assert gathered.dtype == np.float64


def test_a_broadcast_alone_returns_its_bytes():
    assert broadcast_from_first(b"all of it") == b"all of it"


def test_a_broadcast_alone_returns_no_bytes_for_none():
    assert broadcast_from_first() == b""


def test_the_mean_over_one_rank_is_its_tensors():
    tensors = (Tensor(1.5, ms.float32), Tensor(np.arange(6).reshape(2, 3), ms.float32))

    means = MeanOverRanks([(), (2, 3)])(tensors)

    for mean, tensor in zip(means, tensors, strict=True):
        np.testing.assert_array_equal(mean.asnumpy(), tensor.asnumpy())

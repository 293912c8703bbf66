import mindspore as ms
import numpy as np
from mindspore import Tensor

from src.runtime import distributed
from src.runtime.distributed import MeanOverRanks, broadcast_from_first, gather


def test_a_process_alone_is_rank_0_of_1(monkeypatch):
    monkeypatch.delenv("MS_ROLE", raising=False)
    distributed.join()
    assert (distributed.rank(), distributed.ranks(), distributed.is_first()) == (0, 1, True)
    assert not distributed.launched() and distributed.local_ranks() == 1


def test_the_launcher_says_which_device_is_ours_and_how_many_share_the_machine(monkeypatch):
    monkeypatch.setenv("MS_ROLE", "MS_WORKER")
    monkeypatch.setenv("DEVICE_ID", "3")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    assert distributed.launched() and distributed.local_rank() == 3 and distributed.local_ranks() == 4


def test_alone_gather_adds_an_axis_and_from_first_gives_back():
    values = np.float64([[1, np.nan], [3, 4]])
    np.testing.assert_array_equal(gather(values), values[None])
    assert gather(values).dtype == np.float64
    assert broadcast_from_first(b"all of it") == b"all of it" and broadcast_from_first() == b""


def test_alone_the_mean_is_the_tensors_themselves():
    tensors = (Tensor(1.5, ms.float32), Tensor(np.arange(6).reshape(2, 3), ms.float32))
    for one, other in zip(MeanOverRanks([(), (2, 3)])(tensors), tensors, strict=True):
        np.testing.assert_array_equal(one.asnumpy(), other.asnumpy())

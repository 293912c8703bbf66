"""Random numbers, dropout and drop path: uniform, repeatable, and off in evaluation."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor

from src.networks.stochastic import Dropout, DropPath, Uniform


def test_uniform_numbers_look_uniform_and_never_repeat():
    cell = Uniform(salt=3)
    draws = np.stack([cell(50_000).asnumpy() for _ in range(3)])
    assert draws.min() >= 0 and draws.max() < 1
    histogram = np.stack([np.histogram(draw, 20, (0, 1))[0] for draw in draws])
    chi_square = ((histogram - 2500) ** 2 / 2500).sum(1)
    assert (chi_square < 43.8).all()  # 99.9 % point for 19 degrees of freedom
    assert np.abs(np.corrcoef(draws) - np.eye(3)).max() < 0.02
    assert abs(np.corrcoef(draws[0, 1:], draws[0, :-1])[0, 1]) < 0.02


def test_uniform_is_a_function_of_seed_salt_and_call():
    first, same, other = Uniform(1), Uniform(1), Uniform(2)
    a = first(100).asnumpy()
    np.testing.assert_array_equal(a, same(100).asnumpy())
    assert not np.array_equal(a, other(100).asnumpy())
    assert not np.array_equal(a, first(100).asnumpy())
    same.calls.set_data(Tensor(0, ms.int32))
    np.testing.assert_array_equal(a, same(100).asnumpy())


def test_uniform_is_the_same_in_pynative_mode():
    graph = Uniform(1)(100).asnumpy()
    ms.set_context(mode=ms.PYNATIVE_MODE)
    try:
        np.testing.assert_array_equal(graph, Uniform(1)(100).asnumpy())
    finally:
        ms.set_context(mode=ms.GRAPH_MODE)


@pytest.mark.parametrize("cell, shape", [(Dropout(0.3), (500, 40)), (DropPath(0.3), (20_000, 1, 1, 1))])
def test_dropping_keeps_the_mean_and_is_off_in_evaluation(cell, shape):
    x = Tensor(np.ones(shape, np.float32))
    dropped = cell.set_train(True)(x).asnumpy()
    assert set(np.unique(dropped)) == {np.float32(0), np.float32(1) / np.float32(0.7)}
    assert dropped.mean() == pytest.approx(1, abs=0.02)
    np.testing.assert_array_equal(cell.set_train(False)(x).asnumpy(), x.asnumpy())


def test_drop_path_drops_whole_images():
    out = DropPath(0.5).set_train(True)(Tensor(np.ones((64, 3, 2, 2), np.float32))).asnumpy()
    assert len(np.unique(out.reshape(64, -1), axis=1).T) <= 12
    assert (out.min((1, 2, 3)) == out.max((1, 2, 3))).all()

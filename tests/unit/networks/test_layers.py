"""Activations, squeeze-excite, random numbers and initial weights against their definitions."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, nn

from src.networks.layers import SqueezeExcite, hard_sigmoid, hard_swish, swish
from src.networks.stochastic import Dropout, DropPath, Uniform
from src.tinynet import tinynet_e


def test_swish():
    x = np.linspace(-5, 5, 11, dtype=np.float32)
    np.testing.assert_allclose(swish(Tensor(x)).asnumpy(), x / (1 + np.exp(-x)), atol=1e-6)


def test_hard_activations_are_their_formulas():
    x = np.linspace(-5, 5, 21, dtype=np.float32)
    gate = np.clip(x + 3, 0, 6) / 6
    np.testing.assert_allclose(hard_sigmoid(Tensor(x)).asnumpy(), gate, atol=1e-6)
    np.testing.assert_allclose(hard_swish(Tensor(x)).asnumpy(), x * gate, atol=1e-6)
    assert hard_swish(Tensor(x, ms.float16)).dtype == ms.float16


def test_squeeze_excite_is_its_formula():
    cell = SqueezeExcite(4, 2)
    x = np.random.RandomState(0).randn(2, 4, 3, 5).astype(np.float32)
    reduce, expand = (cell.conv_reduce, cell.conv_expand)
    mean = x.mean((2, 3))
    hidden = mean @ reduce.weight.asnumpy()[:, :, 0, 0].T + reduce.bias.asnumpy()
    hidden = hidden / (1 + np.exp(-hidden))
    gate = 1 / (1 + np.exp(-(hidden @ expand.weight.asnumpy()[:, :, 0, 0].T + expand.bias.asnumpy())))
    np.testing.assert_allclose(cell(Tensor(x)).asnumpy(), x * gate[:, :, None, None], rtol=1e-5, atol=1e-6)


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


def test_initial_weights_have_the_stated_spread_and_follow_the_seed():
    network, again = tinynet_e(), tinynet_e()
    for cell in (network.conv_head, network.blocks[5][1].conv_dw):
        weight = cell.weight.asnumpy()
        fan_out = weight.shape[0] * weight.shape[2] * weight.shape[3] // cell.group
        assert weight.std() == pytest.approx(np.sqrt(2 / fan_out), rel=0.05)
    bound = np.abs(network.classifier.weight.asnumpy()).max()
    assert 0.99 / np.sqrt(1000) < bound <= 1 / np.sqrt(1000)
    assert all((cell.bias.asnumpy() == 0).all() for _, cell in network.cells_and_names() if isinstance(cell, nn.Dense))
    for parameter, repeated in zip(network.get_parameters(), again.get_parameters()):
        np.testing.assert_array_equal(parameter.asnumpy(), repeated.asnumpy())

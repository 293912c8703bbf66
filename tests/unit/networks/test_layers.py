"""Activations, padding, squeeze-excite and initial weights against their definitions."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, nn

from src.design.architecture import Style
from src.networks.layers import Norm, SqueezeExcite, convolution, hard_sigmoid, hard_swish, swish
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


@pytest.mark.parametrize("kernel, size, before, behind", [(3, 8, 0, 1), (3, 7, 1, 1), (5, 8, 1, 2), (5, 7, 2, 2)])
def test_same_padding_is_tensorflows_and_depends_on_the_map(pynative, kernel, size, before, behind):
    cell, x = convolution(1, 1, kernel, stride=2, padding="same"), np.random.RandomState(0).rand(size, size)
    weight, padded = cell.weight.asnumpy()[0, 0], np.pad(x, (before, behind))
    corners = [(row, column) for row in range(0, size, 2) for column in range(0, size, 2)]
    expected = [(padded[row : row + kernel, column : column + kernel] * weight).sum() for row, column in corners]
    found = cell(Tensor(x[None, None], ms.float32)).asnumpy().ravel()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_batch_norm_has_the_epsilon_of_the_style():
    assert [Norm()(4, style).eps for style in (Style(), Style(bn_epsilon=1e-3))] == [1e-5, 1e-3]


def test_squeeze_excite_is_its_formula():
    cell = SqueezeExcite(4, 2)
    x = np.random.RandomState(0).randn(2, 4, 3, 5).astype(np.float32)
    reduce, expand = (cell.conv_reduce, cell.conv_expand)
    mean = x.mean((2, 3))
    hidden = mean @ reduce.weight.asnumpy()[:, :, 0, 0].T + reduce.bias.asnumpy()
    hidden = hidden / (1 + np.exp(-hidden))
    gate = 1 / (1 + np.exp(-(hidden @ expand.weight.asnumpy()[:, :, 0, 0].T + expand.bias.asnumpy())))
    np.testing.assert_allclose(cell(Tensor(x)).asnumpy(), x * gate[:, :, None, None], rtol=1e-5, atol=1e-6)


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

"""The kinds of block against their definitions, where the golden networks do not test them."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor

from src.design.architecture import Block, Style
from src.networks.blocks import BLOCK_CELLS
from src.networks.layers import Norm
from src.networks.stochastic import DropPath


def block_cell(kind, stride=1, outputs=8, drop=0.0, skip=True, **style):
    ms.set_seed(2)
    block = Block(kind, 3, stride, 8, 8, outputs, 4, skip)
    return BLOCK_CELLS[kind](block, Style(**style), Norm(), DropPath(drop, salt=1))


@pytest.mark.parametrize("kind", BLOCK_CELLS)
def test_a_dropped_branch_leaves_the_shortcut(pynative, kind):
    cell = block_cell(kind, drop=0.999999).set_train()
    x = Tensor(np.random.RandomState(0).randn(4, 8, 6, 6).astype(np.float32))
    np.testing.assert_array_equal(cell(x).asnumpy(), x.asnumpy())


@pytest.mark.parametrize("kind", ["ds", "ir"])
def test_a_block_without_skip_does_not_add_its_input(pynative, kind):
    skipping, plain = (block_cell(kind, skip=skip).set_train(False) for skip in (True, False))
    ms.load_param_into_net(plain, skipping.parameters_dict(), strict_load=True)
    x = Tensor(np.random.RandomState(0).randn(2, 8, 6, 6).astype(np.float32))
    np.testing.assert_allclose(skipping(x).asnumpy(), plain(x).asnumpy() + x.asnumpy(), atol=1e-6)


@pytest.mark.parametrize("kind", BLOCK_CELLS)
@pytest.mark.parametrize("stride, outputs", [(2, 8), (1, 12), (2, 12)])
def test_a_block_that_changes_the_map_has_the_new_shape(pynative, kind, stride, outputs):
    x = Tensor(np.ones((2, 8, 7, 7), np.float32))
    assert block_cell(kind, stride, outputs).set_train(False)(x).shape == (2, outputs, -(-7 // stride), -(-7 // stride))


@pytest.mark.parametrize("kind", BLOCK_CELLS)
def test_the_style_decides(pynative, kind):
    x = Tensor(np.random.RandomState(0).randn(2, 8, 6, 6).astype(np.float32))
    rng = np.random.RandomState(1)
    state = {
        p.name: p.asnumpy() + rng.uniform(0, 0.5, p.shape).astype(np.float32) for p in block_cell(kind).get_parameters()
    }
    found = []
    for style in ({}, {"activation": "relu"}, {"se_activation": "hard_swish"}, {"se_gate": "hard_sigmoid"}):
        other = block_cell(kind, **style).set_train(False)
        for parameter in other.get_parameters():
            parameter.set_data(Tensor(state[parameter.name]))
        found.append(other(x).asnumpy())
    assert all(np.abs(found[0] - other).max() > 1e-4 for other in found[1:])

"""TinyNet against timm, its five functions, and the options of its Cells."""

import re

import numpy as np
import pytest
from mindspore import Tensor, nn, ops
from support.golden_networks import assert_equals_timm

from src import tinynet as module
from src.design.cost import total_cost
from src.errors import UserError
from src.models import create_model, list_models
from src.networks.layers import Norm
from src.tinynet import TinyNet, tinynet
from src.weights.names import weights_of

NAMES = ["tinynet_a", "tinynet_b", "tinynet_c", "tinynet_d", "tinynet_e"]


@pytest.mark.parametrize("name", ["tinynet_a", "tinynet_c", "tinynet_e"])
def test_logits_and_features_equal_timm(name, tmp_path):
    assert_equals_timm(name, tmp_path)


def test_there_are_five_networks():
    assert list_models("tinynet*") == NAMES
    with pytest.raises(UserError, match="did you mean 'tinynet_c'"):
        create_model("tinynetc")


@pytest.mark.parametrize("name", NAMES)
def test_each_has_a_function_whose_docstring_states_its_cost(name):
    build = getattr(module, name)
    architecture = build(num_classes=2).architecture
    cost = total_cost(architecture)
    stated = re.search(r"(\d+) px, ([\d.]+) M parameters, (\d+) M MACs", build.__doc__).groups()
    assert architecture.name == name
    assert stated == (f"{architecture.resolution}", f"{cost.parameters / 1e6:.2f}", f"{cost.macs / 1e6:.0f}")


def test_networks_of_one_process_are_independent():
    first = create_model("tinynet_e", num_classes=5)
    before = {name: p.asnumpy().copy() for name, p in weights_of(first).items()}
    second = create_model("tinynet_c", num_classes=9)
    for parameter in second.get_parameters():
        parameter.set_data(ops.zeros_like(parameter))
    assert first.num_classes == 5 and second.num_classes == 9
    assert all(np.array_equal(p.asnumpy(), before[name]) for name, p in weights_of(first).items())


def test_options_reach_the_cells():
    network = tinynet(0.5, 0.5, 0.5, num_classes=4, in_channels=1, drop_path=0.4, norm=Norm(0.8))
    assert network.input_size == (1, 112, 112) and network.num_features == 1280
    assert network.set_train(False)(Tensor(np.zeros((2, 1, 112, 112), np.float32))).shape == (2, 4)
    norms = [cell for _, cell in network.cells_and_names() if isinstance(cell, nn.BatchNorm2d)]
    assert {(round(1 - cell.momentum, 6), cell.eps) for cell in norms} == {(0.8, 1e-5)}  # the Cell keeps 1 - momentum
    total = sum(stage.repeats for stage in network.architecture.stages)
    rates = [block.drop_path.rate for stage in network.blocks for block in stage]
    np.testing.assert_allclose(rates, [0.4 * index / total for index in range(total)])
    assert isinstance(network, TinyNet)

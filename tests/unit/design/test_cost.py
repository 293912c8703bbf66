"""Costs: blocks by hand, tables that add up, and growth with every factor."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from support.random_architectures import architectures

from src.design.architecture import Block
from src.design.cost import Cost, block_cost, cost_table, total, total_cost
from src.design.families import EFFICIENTNET_B0, TINYNETS
from src.design.scaling import tiny_scale


def test_an_inverted_residual_by_hand():
    block = Block("ir", kernel=5, stride=2, in_channels=24, hidden=144, out_channels=40, se_channels=6)
    parameters = 24 * 144 + 2 * 144 + 25 * 144 + 2 * 144 + (144 * 6 + 6) + (6 * 144 + 144) + 144 * 40 + 2 * 40
    macs = 24 * 144 * 15**2 + 25 * 144 * 8**2 + 2 * 144 * 6 + 144 * 40 * 8**2
    activations = 144 * 15**2 + 144 * 8**2 + 6 + 144 + 40 * 8**2
    assert block_cost(block, 15) == Cost(parameters, macs, activations)


def test_a_ghost_bottleneck_by_hand():
    block = Block("ghost", kernel=5, stride=2, in_channels=24, hidden=72, out_channels=40, se_channels=20)
    before = 24 * 36 + 9 * 36  # weights at 28 pixels: the first ghost module
    after = 25 * 72 + 72 * 20 + 9 * 20 + 25 * 24 + 24 * 40  # at 14: the stride, the second module, the shortcut
    excite, biases = 2 * 72 * 20, 20 + 72
    norms = 2 * (36 + 36 + 72 + 20 + 20 + 24 + 40)
    activations = 72 * 28**2 + (72 + 40 + 24 + 40) * 14**2 + 20 + 72
    expected = Cost(before + after + excite + biases + norms, before * 28**2 + after * 14**2 + excite, activations)
    assert block_cost(block, 28) == expected


def test_table_adds_up_and_follows_the_sizes():
    rows = cost_table(TINYNETS["tinynet_e"])
    assert total(row.cost for row in rows) == total_cost(TINYNETS["tinynet_e"])
    assert [row.size for row in rows] == [53, 53, 27, 14, 7, 7, 4, 4, 4, 1]


@given(st.floats(0.3, 1), st.floats(0.2, 1), st.floats(0.3, 2), st.integers(1, 1000))
def test_cost_grows_with_every_factor(resolution, width, depth, classes):
    small = total_cost(tiny_scale(EFFICIENTNET_B0, resolution, width, depth), classes)
    large = total_cost(tiny_scale(EFFICIENTNET_B0, resolution * 1.1, width * 1.1, depth * 1.1), classes + 1)
    assert small.macs < large.macs and small.parameters < large.parameters


@given(architectures, st.integers(1, 64))
def test_more_pixels_cost_more_and_no_parameters(network, pixels):
    small, large = total_cost(network), total_cost(network.at(network.resolution + pixels))
    assert small.macs <= large.macs and small.activations <= large.activations
    assert small.parameters == large.parameters
    assert total_cost(network.at(2 * network.resolution + 2)).macs > small.macs


@given(architectures, st.data())
def test_one_more_block_costs_more(network, data):
    index = data.draw(st.integers(0, len(network.stages) - 1))
    deeper = replace(network.stages[index], repeats=network.stages[index].repeats + 1)
    changed = replace(network, stages=(*network.stages[:index], deeper, *network.stages[index + 1 :]))
    assert all(less < more for less, more in zip(total_cost(network), total_cost(changed), strict=True))


@given(architectures)
def test_twice_the_width_costs_more(network):
    stages = tuple(replace(stage, channels=2 * stage.channels) for stage in network.stages)
    wide = replace(network, stem=2 * network.stem, stages=stages)
    assert all(less < more for less, more in zip(total_cost(network), total_cost(wide), strict=True))

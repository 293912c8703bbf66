"""Layer tables against timm's names and shapes, and against the cost."""

import json
from math import prod

import pytest
from hypothesis import given
from support.project import GOLDEN
from support.random_architectures import architectures

from src.design.cost import total_cost
from src.design.families import ARCHITECTURES
from src.design.layer_table import grouped_blocks, layers

TIMM = ["efficientnet_b0", "efficientnet_b2", "ghostnet_100", "tinynet_a", "tinynet_c", "tinynet_e"]


def shapes_of(network, **options):
    return {name: shape for layer in layers(network, **options) for name, shape in layer.shapes().items()}


@pytest.mark.parametrize("name", TIMM)
def test_names_shapes_and_their_order_are_timms(name):
    golden = json.loads((GOLDEN / f"{name}.json").read_text())
    expected = {name: tuple(shape) for name, shape in golden["parameters"].items()}
    assert list(shapes_of(ARCHITECTURES[name]).items()) == list(expected.items())
    assert total_cost(ARCHITECTURES[name]).parameters == golden["params"]


@given(architectures)
def test_parameters_are_the_elements_of_all_shapes(network):
    shapes = shapes_of(network, num_classes=7, in_channels=1)
    trained = sum(prod(shape) for name, shape in shapes.items() if "running" not in name)
    assert total_cost(network, num_classes=7, in_channels=1).parameters == trained


@given(architectures)
def test_grouping_keeps_the_blocks_in_order(network):
    flat = [block for blocks in network.blocks() for block in blocks]
    groups = grouped_blocks(network)
    assert [block for group in groups for block in group] == flat
    assert all(groups)


def test_ghostnets_strides_stand_alone():
    assert [len(group) for group in grouped_blocks(ARCHITECTURES["ghostnet_100"])] == [1, 1, 1, 1, 1, 1, 5, 1, 4]

"""The exact cost of an architecture, counted without building it: parameters, multiply-adds and activations.

Multiply-adds (MACs) follow the convention of the papers: convolutions, linear layers and squeeze-excite count. Biases,
BatchNorm (fused at inference), activation functions, pooling, the squeeze-excite product and residual sums do not.
Activations are the output elements of the layers that count.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import NamedTuple

from src.design.architecture import Architecture, Block
from src.design.layer_table import Layer, block_layers, head_layers, stem_layer


class Cost(NamedTuple):
    """Trainable parameters, and multiply-adds and output elements for one image."""

    parameters: int = 0
    macs: int = 0
    activations: int = 0


@dataclass(frozen=True)
class Row:
    """A row of a cost table: a part of the network, its output map and its cost."""

    name: str
    channels: int
    size: int  # width and height of the output map, in pixels
    cost: Cost


def total(costs: Iterable[Cost]) -> Cost:
    """Return the sum of costs."""
    parameters = macs = activations = 0
    for cost in costs:
        parameters += cost.parameters
        macs += cost.macs
        activations += cost.activations
    return Cost(parameters, macs, activations)


def cost_of(layers: Iterable[Layer]) -> Cost:
    """Return the cost of layers together."""
    parameters = macs = activations = 0
    for _, norm, inputs, outputs, kernel, size, groups, bias in layers:
        weights = outputs * (inputs // groups) * (kernel * kernel or 1)
        parameters += weights + outputs * (bias + (2 if norm else 0))  # BatchNorm has a scale and a shift
        macs += weights * size * size
        activations += outputs * size * size
    return Cost(parameters, macs, activations)


@lru_cache(maxsize=1 << 16)  # the networks of a search share most of their blocks
def block_cost(block: Block, size: int) -> Cost:
    """Return the cost of a block whose input is `size` x `size` pixels."""
    return cost_of(block_layers(block, size))


def cost_table(architecture: Architecture, num_classes: int = 1000, in_channels: int = 3) -> list[Row]:
    """Return a row for the stem, each stage, the head and the classifier, in order."""
    stem = stem_layer(architecture, in_channels)
    size = stem.size
    rows = [Row("stem", stem.outputs, size, cost_of([stem]))]
    for index, blocks in enumerate(architecture.blocks()):
        costs = []
        for block in blocks:
            costs.append(block_cost(block, size))
            size = ceil(size / block.stride)
        rows.append(Row(f"stage {index}", blocks[-1].out_channels, size, total(costs)))
    *head, classifier = head_layers(architecture, size, num_classes)
    names = ("head_conv", "head") if architecture.is_ghostnet else ("head",)
    rows += [Row(name, layer.outputs, layer.size, cost_of([layer])) for name, layer in zip(names, head)]
    return [*rows, Row("classifier", num_classes, 1, cost_of([classifier]))]


def total_cost(architecture: Architecture, num_classes: int = 1000, in_channels: int = 3) -> Cost:
    """Return the cost of the whole network for one image at the network's own resolution."""
    return total(row.cost for row in cost_table(architecture, num_classes, in_channels))

"""What an architecture costs, counted exactly without building it: parameters, multiply-adds and activations.

Multiply-adds (MACs) by the papers' convention: convolutions, linear layers and squeeze-excite count; biases,
BatchNorm (fused at inference), activation functions, pooling, the squeeze-excite product and residual sums do not.
Activations are the elements that these same layers put out.
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
    """`parameters`: trainable ones; `macs`: multiply-adds of one image; `activations`: elements put out for it."""

    parameters: int = 0
    macs: int = 0
    activations: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self[0] + other[0], self[1] + other[1], self[2] + other[2])


@dataclass(frozen=True)
class Row:
    """One line of a cost table: a part of the network, the size of the map that it puts out, and its cost."""

    name: str
    channels: int
    size: int
    cost: Cost


def cost_of(layers: Iterable[Layer]) -> Cost:
    """The cost of some layers together."""
    parameters = macs = activations = 0
    for _, norm, inputs, outputs, kernel, size, groups, bias in layers:
        weights = outputs * (inputs // groups) * (kernel * kernel or 1)
        parameters += weights + outputs * (bias + (2 if norm else 0))  # BatchNorm has a scale and a shift
        macs += weights * size * size
        activations += outputs * size * size
    return Cost(parameters, macs, activations)


@lru_cache(maxsize=1 << 16)  # a search meets the same blocks again and again
def block_cost(block: Block, size: int) -> Cost:
    """A block whose input is `size` x `size` pixels."""
    return cost_of(block_layers(block, size))


def cost_table(architecture: Architecture, num_classes: int = 1000, in_channels: int = 3) -> list[Row]:
    """Stem, each stage, head and classifier, in order."""
    stem = stem_layer(architecture, in_channels)
    size = stem.size
    rows = [Row("stem", stem.outputs, size, cost_of([stem]))]
    for index, blocks in enumerate(architecture.blocks()):
        cost = Cost()
        for block in blocks:
            cost += block_cost(block, size)
            size = ceil(size / block.stride)
        rows.append(Row(f"stage {index}", blocks[-1].out_channels, size, cost))
    *head, classifier = head_layers(architecture, size, num_classes)
    names = ("head_conv", "head") if architecture.head_conv else ("head",)
    rows += [Row(name, layer.outputs, layer.size, cost_of([layer])) for name, layer in zip(names, head)]
    return [*rows, Row("classifier", num_classes, 1, cost_of([classifier]))]


def total_cost(architecture: Architecture, num_classes: int = 1000, in_channels: int = 3) -> Cost:
    """The whole network's cost for one image at its own resolution."""
    return sum((row.cost for row in cost_table(architecture, num_classes, in_channels)), Cost())

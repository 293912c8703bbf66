"""What an architecture costs: trainable parameters and multiply-adds (MACs), counted without building it.

The papers' convention: convolutions, linear layers and squeeze-excite count; BatchNorm (fused at inference),
activations, pooling and the squeeze-excite product do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from src.design.architecture import Architecture, Block


@dataclass(frozen=True)
class Cost:
    """`parameters`: trainable ones; `macs`: multiply-adds of one image."""

    parameters: int = 0
    macs: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.parameters + other.parameters, self.macs + other.macs)


@dataclass(frozen=True)
class Row:
    """One line of a cost table: a part of the network, the size of the map that it puts out, and its cost."""

    name: str
    channels: int
    size: int
    cost: Cost


def convolution(inputs: int, outputs: int, kernel: int, size: int, *, groups: int = 1, bias: bool = False) -> Cost:
    """A k x k convolution that puts out a `size` x `size` map."""
    weights = outputs * inputs // groups * kernel * kernel
    return Cost(weights + (outputs if bias else 0), weights * size * size)


def batch_norm(channels: int) -> Cost:
    """Scale and shift are trained; at inference they are fused into the convolution before them."""
    return Cost(parameters=2 * channels)


def block_cost(block: Block, size: int) -> Cost:
    """A block whose input is `size` x `size` pixels."""
    out = ceil(size / block.stride)
    cost = convolution(block.hidden, block.hidden, block.kernel, out, groups=block.hidden) + batch_norm(block.hidden)
    cost += convolution(block.hidden, block.out_channels, 1, out) + batch_norm(block.out_channels)
    if block.kind == "ir":
        cost += convolution(block.in_channels, block.hidden, 1, size) + batch_norm(block.hidden)
    if block.se_channels:
        cost += convolution(block.hidden, block.se_channels, 1, 1, bias=True)
        cost += convolution(block.se_channels, block.hidden, 1, 1, bias=True)
    return cost


def cost_table(architecture: Architecture, num_classes: int = 1000, in_channels: int = 3) -> list[Row]:
    """Stem, each stage, head and classifier, in order."""
    size = ceil(architecture.resolution / 2)
    stem = convolution(in_channels, architecture.stem, 3, size) + batch_norm(architecture.stem)
    rows = [Row("stem", architecture.stem, size, stem)]
    for index, blocks in enumerate(architecture.blocks()):
        cost = Cost()
        for block in blocks:
            cost += block_cost(block, size)
            size = ceil(size / block.stride)
        rows.append(Row(f"stage {index}", blocks[-1].out_channels, size, cost))
    head = convolution(rows[-1].channels, architecture.head, 1, size) + batch_norm(architecture.head)
    rows.append(Row("head", architecture.head, size, head))
    rows.append(Row("classifier", num_classes, 1, convolution(architecture.head, num_classes, 1, 1, bias=True)))
    return rows


def total_cost(architecture: Architecture, num_classes: int = 1000, in_channels: int = 3) -> Cost:
    """The whole network's cost for one image at its own resolution."""
    return sum((row.cost for row in cost_table(architecture, num_classes, in_channels)), Cost())

"""The layers of an architecture by timm's names: what a network built from it must have, and what `cost.py` sums."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import NamedTuple

from src.design.architecture import Architecture, Block


class Layer(NamedTuple):
    """A k x k convolution (kernel 0: a linear layer) whose output is `size` x `size`, and the BatchNorm after it."""

    name: str
    norm: str  # name of the BatchNorm; empty: none
    inputs: int
    outputs: int
    kernel: int
    size: int
    groups: int = 1
    bias: bool = False

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of each tensor, running statistics included."""
        kernel = (self.kernel, self.kernel) if self.kernel else ()
        shapes = {f"{self.name}.weight": (self.outputs, self.inputs // self.groups, *kernel)}
        if self.bias:
            shapes[f"{self.name}.bias"] = (self.outputs,)
        if self.norm:
            tensors = ("weight", "bias", "running_mean", "running_var")
            shapes |= {f"{self.norm}.{tensor}": (self.outputs,) for tensor in tensors}
        return shapes


def layers(architecture: Architecture, num_classes: int = 1000, in_channels: int = 3) -> Iterator[Layer]:
    """Every convolution and linear layer, in the order of computation."""
    yield (stem := stem_layer(architecture, in_channels))
    size, groups = stem.size, grouped_blocks(architecture)
    for stage, blocks in enumerate(groups):
        for index, block in enumerate(blocks):
            prefix = f"blocks.{stage}.{index}."
            for layer in block_layers(block, size):
                norm = prefix + layer.norm if layer.norm else ""
                yield layer._replace(name=prefix + layer.name, norm=norm)
            size = ceil(size / block.stride)
    yield from head_layers(architecture, size, num_classes, len(groups))


def grouped_blocks(architecture: Architecture) -> tuple[tuple[Block, ...], ...]:
    """The blocks as timm numbers them, `blocks.GROUP.INDEX`: by stage; in GhostNet each stride stands alone."""
    stages = architecture.blocks()
    if architecture.stages[0].block != "ghost":
        return stages
    groups: list[list[Block]] = []
    for block in (block for blocks in stages for block in blocks):
        if not groups or block.stride > 1 or groups[-1][0].stride > 1:
            groups.append([])
        groups[-1].append(block)
    return tuple(tuple(group) for group in groups)


def stem_layer(architecture: Architecture, in_channels: int = 3) -> Layer:
    """The 3x3 convolution of stride 2."""
    return Layer("conv_stem", "bn1", in_channels, architecture.stem, 3, ceil(architecture.resolution / 2))


def head_layers(architecture: Architecture, size: int, num_classes: int = 1000, group: int = 0) -> tuple[Layer, ...]:
    """What follows the last block, whose map is `size` pixels wide; `group` numbers GhostNet's convolution."""
    width, head = architecture.stages[-1].channels, architecture.head
    classifier = Layer("classifier", "", head, num_classes, 0, 1, bias=True)
    if not architecture.head_conv:
        return Layer("conv_head", "bn2", width, head, 1, size), classifier
    prefix = f"blocks.{group}.0."
    conv = Layer(prefix + "conv", prefix + "bn1", width, architecture.head_conv, 1, size)
    return conv, Layer("conv_head", "", architecture.head_conv, head, 1, 1, bias=True), classifier


def block_layers(block: Block, size: int) -> tuple[Layer, ...]:
    """The layers of a block whose input is `size` pixels wide, named within the block."""
    return LAYERS_OF[block.kind](block, size, ceil(size / block.stride))


def _depthwise_separable(block: Block, size: int, out: int) -> tuple[Layer, ...]:
    return (
        Layer("conv_dw", "bn1", block.hidden, block.hidden, block.kernel, out, groups=block.hidden),
        *_squeeze_excite(block),
        Layer("conv_pw", "bn2", block.hidden, block.out_channels, 1, out),
    )


def _inverted_residual(block: Block, size: int, out: int) -> tuple[Layer, ...]:
    return (
        Layer("conv_pw", "bn1", block.in_channels, block.hidden, 1, size),
        Layer("conv_dw", "bn2", block.hidden, block.hidden, block.kernel, out, groups=block.hidden),
        *_squeeze_excite(block),
        Layer("conv_pwl", "bn3", block.hidden, block.out_channels, 1, out),
    )


def _ghost_bottleneck(block: Block, size: int, out: int) -> tuple[Layer, ...]:
    """GhostNet (CVPR 2020), section 3.2: the depthwise convolution is there only to stride."""
    width, hidden, kernel = block.in_channels, block.hidden, block.kernel
    layers = _ghost_module("ghost1", width, hidden, size)
    if block.stride > 1:
        layers += (Layer("conv_dw", "bn_dw", hidden, hidden, kernel, out, groups=hidden),)
    layers += _squeeze_excite(block) + _ghost_module("ghost2", hidden, block.out_channels, out)
    if not block.residual:
        layers += (
            Layer("shortcut.0", "shortcut.1", width, width, kernel, out, groups=width),
            Layer("shortcut.2", "shortcut.3", width, block.out_channels, 1, out),
        )
    return layers


def _ghost_module(name: str, inputs: int, outputs: int, size: int) -> tuple[Layer, ...]:
    """Half the channels by a 1x1 convolution, half from these by a cheap 3x3 depthwise one (ratio s = 2, d = 3)."""
    half, primary, cheap = outputs // 2, f"{name}.primary_conv", f"{name}.cheap_operation"
    return (
        Layer(f"{primary}.0", f"{primary}.1", inputs, half, 1, size),
        Layer(f"{cheap}.0", f"{cheap}.1", half, half, 3, size, groups=half),
    )


def _squeeze_excite(block: Block) -> tuple[Layer, ...]:
    if not block.se_channels:
        return ()
    return (
        Layer("se.conv_reduce", "", block.hidden, block.se_channels, 1, 1, bias=True),
        Layer("se.conv_expand", "", block.se_channels, block.hidden, 1, 1, bias=True),
    )


LAYERS_OF = {"ds": _depthwise_separable, "ir": _inverted_residual, "ghost": _ghost_bottleneck}

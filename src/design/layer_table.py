"""The layers of an architecture by timm's names. Cells must have these layers, and `cost.py` counts them."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import NamedTuple

from src.design.architecture import Architecture, Block


class Layer(NamedTuple):
    """A convolution or linear layer, and the BatchNorm after it."""

    name: str
    norm: str  # name of the BatchNorm; empty if there is no BatchNorm
    inputs: int
    outputs: int
    kernel: int  # width and height of the kernel; 0 for a linear layer
    size: int  # width and height of the output map, in pixels
    groups: int = 1
    bias: bool = False

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the name and shape of each tensor, running statistics included."""
        kernel = (self.kernel, self.kernel) if self.kernel else ()
        shapes = {f"{self.name}.weight": (self.outputs, self.inputs // self.groups, *kernel)}
        if self.bias:
            shapes[f"{self.name}.bias"] = (self.outputs,)
        if self.norm:
            tensors = ("weight", "bias", "running_mean", "running_var")
            shapes |= {f"{self.norm}.{tensor}": (self.outputs,) for tensor in tensors}
        return shapes


def layers(architecture: Architecture, num_classes: int = 1000, in_channels: int = 3) -> Iterator[Layer]:
    """Yield every convolution and linear layer, in the order of computation."""
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
    """Return the blocks as timm numbers them, `blocks.GROUP.INDEX`.

    A group is a stage. In GhostNets, a block that strides is a group of its own, and so are the blocks up to the next.
    """
    stages = architecture.blocks()
    if not architecture.is_ghostnet:
        return stages
    groups: list[list[Block]] = []
    for block in (block for blocks in stages for block in blocks):
        if not groups or block.stride > 1 or groups[-1][0].stride > 1:
            groups.append([])
        groups[-1].append(block)
    return tuple(tuple(group) for group in groups)


def stem_layer(architecture: Architecture, in_channels: int = 3) -> Layer:
    """Return the 3x3 convolution of stride 2."""
    return Layer("conv_stem", "bn1", in_channels, architecture.stem, 3, ceil(architecture.resolution / 2))


def head_layers(architecture: Architecture, size: int, num_classes: int = 1000, group: int = 0) -> tuple[Layer, ...]:
    """Return the layers after the last block.

    Args:
        architecture: the network.
        size: width and height of the last block's output map, in pixels.
        num_classes: outputs of the classifier.
        group: the number in `blocks.GROUP` of the GhostNets' `head_conv`.
    """
    width, head = architecture.stages[-1].channels, architecture.head
    classifier = Layer("classifier", "", head, num_classes, 0, 1, bias=True)
    if not architecture.is_ghostnet:
        return Layer("conv_head", "bn2", width, head, 1, size), classifier
    prefix = f"blocks.{group}.0."
    conv = Layer(prefix + "conv", prefix + "bn1", width, architecture.head_conv, 1, size)
    return conv, Layer("conv_head", "", architecture.head_conv, head, 1, 1, bias=True), classifier


def block_layers(block: Block, size: int) -> tuple[Layer, ...]:
    """Return the layers of a block whose input is `size` x `size` pixels, by their names within the block."""
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
    """GhostNet (CVPR 2020), section 3.2. A block of stride 1 has no depthwise convolution between its modules."""
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
    """GhostNet (CVPR 2020), section 3.1, with s = 2 and d = 3.

    A 1x1 convolution computes half of the channels; a 3x3 depthwise convolution computes the rest from these.
    """
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

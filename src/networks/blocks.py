"""The three kinds of block, one Cell each.

`expand` gives the map that the depthwise convolution sees; `project` gives the output of the block for its input and
that map. Detectors use both. Parameters have timm's names (`conv_pw`, `se.conv_reduce`, ...), so that one rule renames
all weights.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from src.design.architecture import Block, Style
from src.kernels import operators
from src.networks.layers import Depthwise, Norm, NormAct, SqueezeExcite, convolution
from src.networks.stochastic import DropPath


def squeeze_excite(block: Block, style: Style) -> nn.Cell:
    """Return the squeeze-excite Cell of a block, or an identity if the block has none."""
    return SqueezeExcite(block.hidden, block.se_channels, style) if block.se_channels else nn.Identity()


def depthwise(channels: int, block: Block, style: Style) -> nn.Conv2d:
    """Return a depthwise convolution with the kernel and the stride of a block."""
    return convolution(channels, channels, block.kernel, block.stride, groups=channels, padding=style.padding)


def middle_settings(first: NormAct, depthwise: Depthwise, last: NormAct) -> tuple[Tensor, Tensor]:
    """Return the settings of `operators.norm_depthwise`: those of an evaluation, and those of a training."""
    numbers = (
        (*first.numbers(training=training), *last.numbers(training=training), *depthwise.numbers())
        for training in (False, True)
    )
    moving, of_batch = (operators.settings(*of_one) for of_one in numbers)
    return moving, of_batch


class DepthwiseSeparable(nn.Cell):
    """Depthwise convolution, squeeze-excite, 1x1 projection."""

    def __init__(self, block: Block, style: Style, norm: Norm, drop_path: DropPath) -> None:
        super().__init__()
        self.residual = block.residual
        self.conv_dw = depthwise(block.hidden, block, style)
        self.bn1 = norm(block.hidden, style, style.activation)
        self.se = squeeze_excite(block, style)
        self.conv_pw = convolution(block.hidden, block.out_channels, 1)
        self.bn2 = norm(block.out_channels, style)
        self.drop_path = drop_path

    def expand(self, x: Tensor) -> Tensor:
        return x

    def project(self, x: Tensor, expanded: Tensor) -> Tensor:
        return self.end(x, self.bn1(self.conv_dw(expanded)))

    def end(self, x: Tensor, y: Tensor) -> Tensor:
        y = self.bn2(self.conv_pw(self.se(y)))
        return x + self.drop_path(y) if self.residual else y

    def construct(self, x: Tensor) -> Tensor:
        return self.project(x, self.expand(x))


class InvertedResidual(nn.Cell):
    """1x1 expansion, depthwise convolution, squeeze-excite, 1x1 linear projection (MBConv)."""

    native: ops.Custom | None = None

    def __init__(self, block: Block, style: Style, norm: Norm, drop_path: DropPath) -> None:
        super().__init__()
        self.residual = block.residual
        self.conv_pw = convolution(block.in_channels, block.hidden, 1)
        self.bn1 = norm(block.hidden, style, style.activation)
        self.conv_dw = depthwise(block.hidden, block, style)
        self.bn2 = norm(block.hidden, style, style.activation)
        self.se = squeeze_excite(block, style)
        self.conv_pwl = convolution(block.hidden, block.out_channels, 1)
        self.bn3 = norm(block.out_channels, style)
        self.drop_path = drop_path

    def use_native(self) -> None:
        """Compute the steps from `bn1` to `bn2` with one CPU kernel, which keeps the maps between them in the cache."""
        if isinstance(self.conv_dw, Depthwise):
            self.moving, self.of_batch = middle_settings(self.bn1, self.conv_dw, self.bn2)
            self.native = operators.norm_depthwise(self.conv_dw.stride[-1])

    def expand(self, x: Tensor) -> Tensor:
        return self.bn1(self.conv_pw(x))

    def project(self, x: Tensor, expanded: Tensor) -> Tensor:
        return self.end(x, self.bn2(self.conv_dw(expanded)))

    def end(self, x: Tensor, y: Tensor) -> Tensor:
        y = self.bn3(self.conv_pwl(self.se(y)))
        return x + self.drop_path(y) if self.residual else y

    def construct(self, x: Tensor) -> Tensor:
        if self.native is None:
            return self.project(x, self.expand(x))
        settings = self.of_batch if self.training else self.moving
        norms = self.bn1.tensors(), self.bn2.tensors()
        return self.end(x, self.native(self.conv_pw(x), *norms[0], self.conv_dw.weight, *norms[1], settings)[0])


class GhostModule(nn.Cell):
    """Ghost module (GhostNet, section 3.1): (N, inputs, H, W) to (N, outputs, H, W).

    A 1x1 convolution computes half of the channels; a cheap 3x3 depthwise convolution computes the rest from these.
    """

    def __init__(self, inputs: int, outputs: int, style: Style, norm: Norm, activation: str) -> None:
        super().__init__()
        half = outputs // 2
        self.primary_conv = nn.SequentialCell(convolution(inputs, half, 1), norm(half, style, activation))
        self.cheap_operation = nn.SequentialCell(convolution(half, half, 3, groups=half), norm(half, style, activation))

    def construct(self, x: Tensor) -> Tensor:
        primary = self.primary_conv(x)
        cheap = self.cheap_operation(primary)
        return ops.concat((primary, cheap), 1)


class GhostBottleneck(nn.Cell):
    """Ghost module to the hidden width, depthwise convolution if it strides, squeeze-excite, linear ghost module.

    The block adds its input unchanged, or through a depthwise and a 1x1 convolution (GhostNet, section 3.2).
    """

    def __init__(self, block: Block, style: Style, norm: Norm, drop_path: DropPath) -> None:
        super().__init__()
        width, hidden, outputs = block.in_channels, block.hidden, block.out_channels
        self.ghost1 = GhostModule(width, hidden, style, norm, style.activation)
        self.strides = block.stride > 1
        if self.strides:
            self.conv_dw = depthwise(hidden, block, style)
            self.bn_dw = norm(hidden, style)
        self.se = squeeze_excite(block, style)
        self.ghost2 = GhostModule(hidden, outputs, style, norm, "linear")
        self.drop_path = drop_path
        self.shortcut = nn.SequentialCell()
        if not block.residual:
            self.shortcut = nn.SequentialCell(
                depthwise(width, block, style),
                norm(width, style),
                convolution(width, outputs, 1),
                norm(outputs, style),
            )

    def expand(self, x: Tensor) -> Tensor:
        return self.ghost1(x)

    def project(self, x: Tensor, expanded: Tensor) -> Tensor:
        y = self.bn_dw(self.conv_dw(expanded)) if self.strides else expanded
        y = self.ghost2(self.se(y))
        return self.shortcut(x) + self.drop_path(y)

    def construct(self, x: Tensor) -> Tensor:
        return self.project(x, self.expand(x))


BLOCK_CELLS = {"ds": DepthwiseSeparable, "ir": InvertedResidual, "ghost": GhostBottleneck}

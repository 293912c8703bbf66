"""GhostNet (CVPR 2020, https://arxiv.org/abs/1911.11907) and S-GhostNet (https://arxiv.org/abs/2108.00177).

The published networks are tables in `src/design/ghostnets.py`.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from src.design.architecture import Architecture, Style
from src.networks.layers import ACTIVATIONS, GlobalMean, Norm, convolution
from src.networks.network import Network


class ConvNorm(nn.Cell):
    """A 1x1 convolution, its BatchNorm and activation, by timm's names: `conv` and `bn1`."""

    def __init__(self, inputs: int, outputs: int, style: Style, norm: Norm) -> None:
        super().__init__()
        self.conv = convolution(inputs, outputs, 1)
        self.bn1 = norm(outputs, style, style.activation)

    def construct(self, x: Tensor) -> Tensor:
        return self.bn1(self.conv(x))


class GhostNet(Network):
    """A `Network` whose head is a 1x1 convolution, the mean over the map and another 1x1 convolution.

    timm counts the first convolution among the blocks. For the arguments see `Network`.
    """

    def last_blocks(self, architecture: Architecture, norm: Norm) -> list[nn.Cell]:
        width, style = architecture.stages[-1].channels, architecture.style
        return [nn.SequentialCell(ConvNorm(width, architecture.head_conv, style, norm))]

    def build_head(self, architecture: Architecture, norm: Norm) -> None:
        self.num_features = architecture.head_conv
        self.global_pool = GlobalMean(keep_dims=True)
        self.conv_head = convolution(architecture.head_conv, architecture.head, 1, bias=True)
        self.head_act = ACTIVATIONS[architecture.style.head_activation]

    def forward_features(self, x: Tensor) -> Tensor:
        return self.forward_blocks(x)

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        x = self.head_act(self.conv_head(self.global_pool(x)))
        x = self.dropout(ops.flatten(x))
        return x if pre_logits else self.classifier(x)

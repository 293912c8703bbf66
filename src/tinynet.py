"""TinyNet: the Cells of Model Rubik's Cube (NeurIPS 2020, https://arxiv.org/abs/2010.14819).

The five published networks are rows of `TINYNET_COEFFICIENTS` in `src/design/families.py`; `tinynet` builds any other.
"""

from __future__ import annotations

from mindspore import Tensor

from src.design.architecture import Architecture
from src.design.families import EFFICIENTNET_B0, TINYNETS
from src.design.scaling import tiny_scale
from src.networks.layers import Norm, convolution
from src.networks.network import Network

__all__ = ["TinyNet", "tinynet", "tinynet_a", "tinynet_b", "tinynet_c", "tinynet_d", "tinynet_e"]


class TinyNet(Network):
    """A 1x1 convolution to the features, then their mean over the map. Arguments: see `Network`."""

    def build_head(self, architecture: Architecture, norm: Norm) -> None:
        self.num_features = architecture.head
        self.conv_head = convolution(architecture.stages[-1].channels, architecture.head, 1)
        self.bn2 = norm(architecture.head)

    def forward_features(self, x: Tensor) -> Tensor:
        return self.head_act(self.bn2(self.conv_head(self.forward_blocks(x))))

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        x = self.dropout(x.mean((2, 3)))
        return x if pre_logits else self.classifier(x)


def tinynet(resolution: float, width: float, depth: float, **options) -> TinyNet:
    """EfficientNet-B0 shrunk by the three factors of the tiny formula; `options` as for `Network`."""
    return TinyNet(tiny_scale(EFFICIENTNET_B0, resolution, width, depth), **options)


def tinynet_a(**options) -> TinyNet:
    """TinyNet-A: 192 px, 6.19 M parameters, 337 M MACs."""
    return TinyNet(TINYNETS["tinynet_a"], **options)


def tinynet_b(**options) -> TinyNet:
    """TinyNet-B: 188 px, 3.73 M parameters, 201 M MACs."""
    return TinyNet(TINYNETS["tinynet_b"], **options)


def tinynet_c(**options) -> TinyNet:
    """TinyNet-C: 184 px, 2.46 M parameters, 100 M MACs."""
    return TinyNet(TINYNETS["tinynet_c"], **options)


def tinynet_d(**options) -> TinyNet:
    """TinyNet-D: 152 px, 2.34 M parameters, 52 M MACs."""
    return TinyNet(TINYNETS["tinynet_d"], **options)


def tinynet_e(**options) -> TinyNet:
    """TinyNet-E: 106 px, 2.04 M parameters, 24 M MACs."""
    return TinyNet(TINYNETS["tinynet_e"], **options)

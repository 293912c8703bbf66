"""EfficientNet (ICML 2019, https://arxiv.org/abs/1905.11946).

B0 to B7, their forms in TensorFlow, and the inverse giants B^-1 to B^-4 are rows of tables in
`src/design/families.py`.
"""

from __future__ import annotations

from mindspore import Tensor

from src.design.architecture import Architecture
from src.networks.layers import GlobalMean, Norm, convolution
from src.networks.network import Network


class EfficientNet(Network):
    """A `Network` whose head is a 1x1 convolution and the mean over the map. For the arguments see `Network`."""

    def build_head(self, architecture: Architecture, norm: Norm) -> None:
        self.num_features = architecture.head
        self.global_pool = GlobalMean()
        self.conv_head = convolution(architecture.stages[-1].channels, architecture.head, 1)
        self.bn2 = norm(architecture.head, architecture.style, architecture.style.head_activation)

    def forward_features(self, x: Tensor) -> Tensor:
        return self.bn2(self.conv_head(self.forward_blocks(x)))

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        x = self.dropout(self.global_pool(x))
        return x if pre_logits else self.classifier(x)

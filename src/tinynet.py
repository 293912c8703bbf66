"""TinyNet: the Cells of Model Rubik's Cube (NeurIPS 2020, https://arxiv.org/abs/2010.14819).

The five published networks are rows of `TINYNET_COEFFICIENTS` in `src/design/families.py`; `tinynet` builds any other.
"""

from __future__ import annotations

from mindspore import Tensor, nn

from src.design.architecture import Architecture
from src.design.families import EFFICIENTNET_B0, TINYNETS
from src.design.scaling import tiny_scale
from src.layers import BLOCK_CELLS, Dropout, DropPath, Norm, convolution, initialize_weights, swish

__all__ = ["TinyNet", "tinynet", "tinynet_a", "tinynet_b", "tinynet_c", "tinynet_d", "tinynet_e"]


class TinyNet(nn.Cell):
    """The network that an `Architecture` describes. Images (N, in_channels, H, W) in, logits (N, num_classes) out.

    Args:
        architecture: what to build.
        num_classes: width of the classifier, at least 1.
        in_channels: channels of the images.
        dropout: probability of dropping a feature before the classifier, in [0, 1).
        drop_path: probability of dropping the last residual branch, in [0, 1); earlier blocks drop
            proportionally less (block index / number of blocks).
        norm: BatchNorm's momentum and epsilon.
    """

    def __init__(
        self,
        architecture: Architecture,
        num_classes: int = 1000,
        in_channels: int = 3,
        dropout: float = 0.0,
        drop_path: float = 0.0,
        norm: Norm = Norm(),
    ) -> None:
        super().__init__()
        self.architecture = architecture
        self.input_size = (in_channels, architecture.resolution, architecture.resolution)
        self.num_features = architecture.head
        self.num_classes = num_classes

        self.conv_stem = convolution(in_channels, architecture.stem, 3, stride=2)
        self.bn1 = norm(architecture.stem)

        stages, index = [], 0
        total = sum(stage.repeats for stage in architecture.stages)
        for blocks in architecture.blocks():
            cells = []
            for block in blocks:
                cells.append(BLOCK_CELLS[block.kind](block, norm, DropPath(drop_path * index / total, salt=index)))
                index += 1
            stages.append(nn.SequentialCell(cells))
        self.blocks = nn.SequentialCell(stages)

        self.conv_head = convolution(architecture.stages[-1].channels, architecture.head, 1)
        self.bn2 = norm(architecture.head)
        self.dropout = Dropout(dropout, salt=total)
        self.classifier = nn.Dense(architecture.head, num_classes)
        initialize_weights(self)

    def forward_features(self, x: Tensor) -> Tensor:
        """The last feature map, (N, num_features, H/32, W/32)."""
        x = swish(self.bn1(self.conv_stem(x)))
        x = self.blocks(x)
        return swish(self.bn2(self.conv_head(x)))

    def forward_head(self, x: Tensor) -> Tensor:
        """Logits from the last feature map."""
        return self.classifier(self.dropout(x.mean((2, 3))))

    def construct(self, x: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(x))


def tinynet(resolution: float, width: float, depth: float, **options) -> TinyNet:
    """EfficientNet-B0 shrunk by the three factors of the tiny formula; `options` as for `TinyNet`."""
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

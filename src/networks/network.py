"""What all families have in common: a stem, blocks, a linear classifier; and the feature maps in between."""

from __future__ import annotations

from mindspore import Tensor, nn

from src.design.architecture import Architecture
from src.design.layer_table import grouped_blocks
from src.networks.blocks import BLOCK_CELLS
from src.networks.layers import ACTIVATIONS, Norm, convolution, initialize_weights
from src.networks.stochastic import Dropout, DropPath


class Network(nn.Cell):
    """The network that an `Architecture` describes. Images (N, in_channels, H, W) in, logits (N, num_classes) out.

    A family says by the methods below what is between its blocks and the classifier.

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
        self.num_classes = num_classes
        style = architecture.style

        self.conv_stem = convolution(in_channels, architecture.stem, 3, stride=2)
        self.bn1 = norm(architecture.stem)
        self.stem_act = ACTIVATIONS[style.stem_activation]

        groups, index = [], 0
        total = sum(stage.repeats for stage in architecture.stages)
        for blocks in grouped_blocks(architecture):
            cells = []
            for block in blocks:
                drops = DropPath(drop_path * index / total, salt=index)
                cells.append(BLOCK_CELLS[block.kind](block, style, norm, drops))
                index += 1
            groups.append(nn.SequentialCell(cells))
        self.blocks = nn.SequentialCell(groups + self.last_blocks(architecture, norm))

        self.act, self.head_act = ACTIVATIONS[style.activation], ACTIVATIONS[style.head_activation]
        self.build_head(architecture, norm)
        self.dropout = Dropout(dropout, salt=total)
        self.classifier = nn.Dense(architecture.head, num_classes)
        initialize_weights(self)

    def last_blocks(self, architecture: Architecture, norm: Norm) -> list[nn.Cell]:
        """What a family's head has among the blocks."""
        return []

    def build_head(self, architecture: Architecture, norm: Norm) -> None:
        """Add the Cells between blocks and classifier, and set `num_features`, the channels of `forward_features`."""
        raise NotImplementedError

    def forward_features(self, x: Tensor) -> Tensor:
        """The last feature map, (N, num_features, H/32, W/32)."""
        raise NotImplementedError

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        """Logits from the last feature map; with `pre_logits` the features that the classifier sees, (N, head)."""
        raise NotImplementedError

    def forward_blocks(self, x: Tensor) -> Tensor:
        """Stem and blocks."""
        return self.blocks(self.stem_act(self.bn1(self.conv_stem(x))))

    def construct(self, x: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(x))

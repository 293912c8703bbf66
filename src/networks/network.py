"""The base class of all networks: stem, blocks and a linear classifier."""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from src.design.architecture import Architecture
from src.design.layer_table import grouped_blocks
from src.kernels import operators
from src.networks.blocks import BLOCK_CELLS, DepthwiseSeparable, middle_settings
from src.networks.layers import Depthwise, Norm, convolution, initialize_weights
from src.networks.stochastic import Dropout, DropPath


class Network(nn.Cell):
    """The network that an `Architecture` describes: images (N, in_channels, H, W) to logits (N, num_classes).

    Subclasses define the head, which is between blocks and classifier, by implementing the methods below.

    Args:
        architecture: the description of the network.
        num_classes: outputs of the classifier, at least 1.
        in_channels: channels of the images.
        dropout: probability of dropping a feature before the classifier, in [0, 1).
        drop_path: drop rate in [0, 1). Block i of n drops its residual branch with probability drop_path * i / n, as
            in the authors' code, so that the last block's rate is below `drop_path`.
        norm: momentum of BatchNorm, and whether ranks share its statistics.
    """

    native: ops.Custom | None = None

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

        self.conv_stem = convolution(in_channels, architecture.stem, 3, stride=2, padding=style.padding)
        self.bn1 = norm(architecture.stem, style, style.stem_activation)

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

        self.build_head(architecture, norm)
        self.dropout = Dropout(dropout, salt=total)
        self.classifier = nn.Dense(architecture.head, num_classes)
        initialize_weights(self)

    def use_native(self) -> None:
        """Compute from `bn1` to the norm behind the first depthwise convolution with one CPU kernel.

        This needs a first block without expansion and without residual.
        """
        cells = [cell for group in self.blocks for cell in group]
        first = cells[0]
        if isinstance(first, DepthwiseSeparable) and isinstance(first.conv_dw, Depthwise) and not first.residual:
            self.moving, self.of_batch = middle_settings(self.bn1, first.conv_dw, first.bn1)
            self.in_order, self.native = cells, operators.norm_depthwise(first.conv_dw.stride[-1])

    def last_blocks(self, architecture: Architecture, norm: Norm) -> list[nn.Cell]:
        """Return the Cells of the head that timm counts among the blocks."""
        return []

    def build_head(self, architecture: Architecture, norm: Norm) -> None:
        """Add the Cells of the head and set `num_features`, the channels of the map of `forward_features`."""
        raise NotImplementedError

    def forward_features(self, x: Tensor) -> Tensor:
        """Return the last feature map, (N, num_features, H/32, W/32)."""
        raise NotImplementedError

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        """Return the logits for the last feature map, or with `pre_logits` the classifier's input, (N, head)."""
        raise NotImplementedError

    def forward_blocks(self, x: Tensor) -> Tensor:
        """Return the map after stem and blocks."""
        x = self.conv_stem(x)
        if self.native is None:
            return self.blocks(self.bn1(x))
        first, settings = self.in_order[0], self.of_batch if self.training else self.moving
        norms = self.bn1.tensors(), first.bn1.tensors()
        x = first.end(x, self.native(x, *norms[0], first.conv_dw.weight, *norms[1], settings)[0])
        for cell in self.in_order[1:]:
            x = cell(x)
        return x

    def construct(self, x: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(x))

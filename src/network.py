"""What all families have in common: a stem, blocks, a linear classifier; and the feature maps in between."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mindspore import Tensor, nn

from src.blocks import BLOCK_CELLS
from src.design.architecture import Architecture
from src.design.layers import grouped_blocks
from src.errors import UserError
from src.layers import ACTIVATIONS, Dropout, DropPath, Norm, convolution, initialize_weights


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


class FeatureMap(NamedTuple):
    """What `block` (its number in the whole network; -1: the stem) puts out."""

    block: int
    channels: int
    reduction: int  # the image's side by the map's


def feature_maps(architecture: Architecture) -> list[FeatureMap]:
    """The last map of each resolution, before a block strides on."""
    maps = [FeatureMap(-1, architecture.stem, 2)]
    for index, block in enumerate(block for blocks in architecture.blocks() for block in blocks):
        found = FeatureMap(index, block.out_channels, maps[-1].reduction * block.stride)
        if block.stride == 1:
            maps[-1] = found
        else:
            maps.append(found)
    return maps


class FeatureExtractor(nn.Cell):
    """A network's `feature_maps`, for detection and segmentation: images (N, C, H, W) in, a tuple of maps out.

    A map is (N, channels[i], H / reductions[i], W / reductions[i]), rounded up to whole pixels. The Cells are those of
    the network, without its head: weights that are loaded into it are seen here.

    Args:
        network: where the Cells are taken from.
        out_indices: which maps, from 0 on; all by default.

    Raises:
        UserError: there is no such map.
    """

    def __init__(self, network: Network, out_indices: Sequence[int] | None = None) -> None:
        super().__init__(auto_prefix=False)  # parameters keep the network's names
        maps = feature_maps(network.architecture)
        wanted = range(len(maps)) if out_indices is None else out_indices
        if not wanted or not set(wanted) <= set(range(len(maps))):
            name = network.architecture.name
            raise UserError(f"out_indices is {list(wanted)}; {name} has feature maps 0 to {len(maps) - 1}")
        blocks, self.channels, self.reductions = map(list, zip(*(maps[index] for index in sorted(set(wanted)))))

        self.conv_stem, self.bn1, self.stem_act = network.conv_stem, network.bn1, network.stem_act
        cells = [cell for group in network.blocks for cell in group]
        self.blocks = nn.CellList(cells[: blocks[-1] + 1], auto_prefix=False)
        self.stem_is_wanted = -1 in blocks
        self.is_wanted = tuple(index in blocks for index in range(len(self.blocks)))

    def construct(self, x: Tensor) -> tuple[Tensor, ...]:
        x = self.stem_act(self.bn1(self.conv_stem(x)))
        maps = (x,) if self.stem_is_wanted else ()
        for block, wanted in zip(self.blocks, self.is_wanted):
            x = block(x)
            if wanted:
                maps += (x,)
        return maps

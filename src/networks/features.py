"""Multi-scale feature maps of a network, for detection and segmentation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mindspore import Tensor, nn

from src.design.architecture import Architecture
from src.errors import UserError
from src.networks.network import Network


class FeatureMap(NamedTuple):
    """A feature map of a network."""

    block: int  # number in the whole network of the block that computes it; -1 for the stem
    channels: int
    reduction: int  # width of the image / width of the map


def feature_maps(architecture: Architecture) -> list[FeatureMap]:
    """Return the last map of each resolution, from large to small."""
    maps = [FeatureMap(-1, architecture.stem, 2)]
    for index, block in enumerate(block for blocks in architecture.blocks() for block in blocks):
        found = FeatureMap(index, block.out_channels, maps[-1].reduction * block.stride)
        if block.stride == 1:
            maps[-1] = found
        else:
            maps.append(found)
    return maps


class FeatureExtractor(nn.Cell):
    """The `feature_maps` of a network: images (N, C, H, W) to a tuple of maps.

    Map i is (N, channels[i], H / reductions[i], W / reductions[i]), rounded up to whole pixels. The extractor shares
    its Cells with the network, so that weights loaded into the network change the maps too.

    Args:
        network: the network whose stem and blocks compute the maps.
        out_indices: numbers of the maps, from 0; all maps by default.

    Raises:
        UserError: the network does not have a map of this number, or `out_indices` is empty.
    """

    def __init__(self, network: Network, out_indices: Sequence[int] | None = None) -> None:
        super().__init__(auto_prefix=False)  # parameters keep the network's names
        maps = feature_maps(network.architecture)
        wanted = range(len(maps)) if out_indices is None else out_indices
        if not wanted or not set(wanted) <= set(range(len(maps))):
            name = network.architecture.name
            raise UserError(f"out_indices is {list(wanted)}; {name} has feature maps 0 to {len(maps) - 1}")
        blocks, self.channels, self.reductions = map(list, zip(*(maps[index] for index in sorted(set(wanted)))))

        self.conv_stem, self.bn1 = network.conv_stem, network.bn1
        cells = [cell for group in network.blocks for cell in group]
        self.blocks = nn.CellList(cells[: blocks[-1] + 1], auto_prefix=False)
        self.stem_is_wanted = -1 in blocks
        self.is_wanted = tuple(index in blocks for index in range(len(self.blocks)))

    def construct(self, x: Tensor) -> tuple[Tensor, ...]:
        x = self.bn1(self.conv_stem(x))
        maps = (x,) if self.stem_is_wanted else ()
        for block, wanted in zip(self.blocks, self.is_wanted):
            x = block(x)
            if wanted:
                maps += (x,)
        return maps

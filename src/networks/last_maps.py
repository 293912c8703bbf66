"""The two maps of a network that SSDLite is attached to."""

from __future__ import annotations

from typing import Literal

from mindspore import Tensor, nn

from src.networks.network import Network


class LastMaps(nn.Cell):
    """The expansion of the last block that strides, and the last map: images (N, C, H, W) to two tensors.

    The expansion is computed once, for both maps. The Cells are those of `network`, so that weights loaded into it
    change the maps too.

    Args:
        network: the network whose stem, blocks and last convolution compute the maps.
        tapped: number of the block whose expansion is the first map, in the whole network.
        last: the second map: `head` after the last 1x1 convolution, `block` before it.
    """

    def __init__(self, network: Network, tapped: int, last: Literal["head", "block"] = "head") -> None:
        super().__init__(auto_prefix=False)  # parameters keep the network's names
        self.conv_stem, self.bn1 = network.conv_stem, network.bn1
        cells = [cell for group in network.blocks for cell in group]  # a GhostNet's last convolution is one of them
        count = sum(stage.repeats for stage in network.architecture.stages)
        if last == "block":
            cells = cells[:count]
        elif not network.architecture.is_ghostnet:
            cells += [network.conv_head, network.bn2]
        self.before = nn.CellList(cells[:tapped], auto_prefix=False)
        self.tapped = cells[tapped]
        self.after = nn.CellList(cells[tapped + 1 :], auto_prefix=False)

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.bn1(self.conv_stem(x))
        for cell in self.before:
            x = cell(x)
        expanded = self.tapped.expand(x)
        x = self.tapped.project(x, expanded)
        for cell in self.after:
            x = cell(x)
        return expanded, x

"""Fine-tuning that keeps parts of a trained network fixed."""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import nn

from src.networks.layers import BATCH_NORMS


def freeze(network: nn.Cell, head: Sequence[str], *, backbone: bool, batch_norm: bool) -> None:
    """Exclude parts of `network` from training. Call it before precision is lowered and the optimizer is built.

    Args:
        network: the network that will be trained.
        head: names of the parameters that are trained even with `backbone`.
        backbone: train the head alone; BatchNorm keeps its running statistics.
        batch_norm: BatchNorm normalizes with its running statistics and keeps them; gamma and beta are still trained.
    """
    if backbone:
        for parameter in network.trainable_params():
            parameter.requires_grad = parameter.name in head
    if backbone or batch_norm:
        for _, cell in network.cells_and_names():
            if isinstance(cell, BATCH_NORMS):
                cell.use_batch_statistics = False

"""Fine-tuning that leaves parts of a trained network as they are."""

from __future__ import annotations

from mindspore import nn

from src.networks.layers import BATCH_NORMS
from src.weights.names import HEAD


def freeze(network: nn.Cell, *, backbone: bool, batch_norm: bool) -> None:
    """Keep parts of `network` from training; call it before precision is lowered and the optimizer is built.

    `backbone`: nothing but the classifier is trained. `batch_norm`: BatchNorm normalizes with its running statistics,
    in training too, and keeps them; its gamma and beta go on learning. A frozen backbone keeps the statistics as well.
    """
    if backbone:
        for parameter in network.trainable_params():
            parameter.requires_grad = parameter.name in HEAD
    if backbone or batch_norm:
        for _, cell in network.cells_and_names():
            if isinstance(cell, BATCH_NORMS):
                cell.use_batch_statistics = False

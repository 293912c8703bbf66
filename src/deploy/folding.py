"""BatchNorm folded into the convolution before it: in inference both are one convolution with a bias."""

from __future__ import annotations

from copy import deepcopy

import mindspore as ms
import numpy as np
from mindspore import nn

from src.networks.layers import BATCH_NORMS, Activation


def folded(network: nn.Cell) -> nn.Cell:
    """Return a copy that computes the same in evaluation mode, without BatchNorm after its convolutions.

    A BatchNorm must normalize the convolution that its Cell declares right before it, as in all Cells of this project.
    Its activation remains.
    The new weights are computed in float64 and rounded once.
    """
    network = deepcopy(network)
    for _, cell in network.cells_and_names():
        before: nn.Cell | None = None
        for name, child in list(cell.name_cells().items()):
            if isinstance(child, BATCH_NORMS) and isinstance(before, nn.Conv2d):
                _fold(before, child)
                if isinstance(cell, (nn.SequentialCell, nn.CellList)):
                    cell[int(name)] = Activation(child.activation)
                else:
                    setattr(cell, name, Activation(child.activation))
            before = child
    return network


def _fold(convolution: nn.Conv2d, norm: nn.Cell) -> None:
    """Set weights and bias so that the convolution computes gamma * (conv(x) - mean) / sqrt(variance + eps) + beta."""
    kernel, gamma, beta, mean, variance = (
        parameter.asnumpy().astype(np.float64)
        for parameter in (convolution.weight, norm.gamma, norm.beta, norm.moving_mean, norm.moving_variance)
    )
    bias = convolution.bias.asnumpy().astype(np.float64) if convolution.has_bias else 0
    scale = gamma / np.sqrt(variance + norm.eps)
    convolution.weight.set_data(_float32(kernel * scale[:, None, None, None]))
    name = convolution.weight.name.removesuffix("weight") + "bias"
    convolution.bias = ms.Parameter(_float32(beta + (bias - mean) * scale), name=name)
    convolution.has_bias = True


def _float32(values: np.ndarray) -> ms.Tensor:
    return ms.Tensor(values.astype(np.float32))

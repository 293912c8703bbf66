"""Names of parameters: those of the Cells, which checkpoints have too, and those of timm.

They differ only in BatchNorm. `sources.py` has the names of other collections.
"""

from __future__ import annotations

from collections.abc import Mapping

import mindspore as ms
from mindspore import nn

from src.networks.layers import BATCH_NORMS

HEAD = ("classifier.weight", "classifier.bias")
BATCH_NORM_TO_TIMM = {
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
CALLS = "calls"  # the counter of a random Cell, which is not a weight


def timm_names(network: nn.Cell) -> dict[str, str]:
    """Return MindSpore name -> timm name for every parameter, including BatchNorm's running statistics."""
    names = {}
    for _, cell in network.cells_and_names():
        to_timm = BATCH_NORM_TO_TIMM if isinstance(cell, BATCH_NORMS) else {}
        for key, parameter in cell._params.items():
            if key != CALLS:
                names[parameter.name] = parameter.name.removesuffix(key) + to_timm.get(key, key)
    return names


def weights_of(network: nn.Cell) -> dict[str, ms.Parameter]:
    """Return name -> parameter for all weights; the counters of random Cells are not weights."""
    names = timm_names(network)
    return {parameter.name: parameter for parameter in network.get_parameters() if parameter.name in names}


def copy_weights(weights: Mapping[str, ms.Parameter], network: nn.Cell) -> None:
    """Give `network` a copy of `weights`, which have all of its names; later changes of either stay its own."""
    for name, parameter in weights_of(network).items():
        parameter.set_data(ms.Tensor(weights[name].asnumpy().copy()))

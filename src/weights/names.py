"""Parameter names: MindSpore's here, timm's in files."""

from __future__ import annotations

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


NOT_WEIGHTS = ("calls", "num_batches_tracked", "global_step", "learning_rate", "epoch_num", "step_num", "loss_scale")


def timm_names(network: nn.Cell) -> dict[str, str]:
    """MindSpore name -> timm name, for every parameter (BatchNorm's running statistics included)."""
    names = {}
    for _, cell in network.cells_and_names():
        for key, parameter in cell._params.items():
            stem = parameter.name.removesuffix(key)
            if key not in NOT_WEIGHTS:
                names[parameter.name] = stem + (
                    BATCH_NORM_TO_TIMM.get(key, key) if isinstance(cell, BATCH_NORMS) else key
                )
    return names


def weights_of(network: nn.Cell) -> dict[str, ms.Parameter]:
    """Name -> parameter, for all that a file of weights holds (the counters of random Cells are not among them)."""
    names = timm_names(network)
    return {parameter.name: parameter for parameter in network.get_parameters() if parameter.name in names}

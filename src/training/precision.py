"""Half precision: which parts of a network run in float16 or bfloat16. Weights, statistics and loss stay float32."""

from __future__ import annotations

import mindspore as ms
from mindspore import nn

from src.config import RecipeOptions
from src.errors import UserError
from src.networks.layers import NormAct
from src.runtime.device import is_cpu


def with_precision(network: nn.Cell, recipe: RecipeOptions) -> nn.Cell:
    """Return the network at `amp_level`: O0 float32; O2 half precision except BatchNorm; O3 BatchNorm's input too.

    Raises:
        UserError: the device does not support bfloat16.
    """
    if recipe.amp_level == "O0":
        return network
    if recipe.amp_dtype == "bfloat16" and is_cpu():
        raise UserError("amp_dtype is bfloat16, for which MindSpore has no CPU kernels; use float16, or an Ascend")
    half = getattr(ms, recipe.amp_dtype)
    for _, cell in network.cells_and_names():
        if isinstance(cell, NormAct):
            cell.half = half
    return ms.amp.auto_mixed_precision(network, recipe.amp_level, half)


def needs_loss_scale(recipe: RecipeOptions) -> bool:
    """Return whether gradients can underflow: in float16, but not in bfloat16, which has the range of float32."""
    return recipe.amp_level != "O0" and recipe.amp_dtype == "float16"

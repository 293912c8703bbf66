"""Half precision: what of a network runs in float16 or bfloat16. Weights, statistics and loss stay float32."""

from __future__ import annotations

import mindspore as ms
from mindspore import nn

from src.config import RecipeOptions
from src.errors import UserError


def with_precision(network: nn.Cell, recipe: RecipeOptions) -> nn.Cell:
    """The network at `amp_level`: O0 as it is; O2 in `amp_dtype` but for BatchNorm; O3 BatchNorm's input too.

    Raises:
        UserError: the device knows no bfloat16.
    """
    if recipe.amp_level == "O0":
        return network
    if recipe.amp_dtype == "bfloat16" and ms.get_context("device_target") == "CPU":
        raise UserError("amp_dtype is bfloat16, for which MindSpore has no CPU kernels; use float16, or an Ascend")
    return ms.amp.auto_mixed_precision(network, recipe.amp_level, getattr(ms, recipe.amp_dtype))


def needs_loss_scale(recipe: RecipeOptions) -> bool:
    """Whether gradients can leave the range of their type: in float16, not in bfloat16, which has float32's range."""
    return recipe.amp_level != "O0" and recipe.amp_dtype == "float16"

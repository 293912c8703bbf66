"""Sort the records of a weight file into weights, averaged weights, and what a training keeps beside them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from src.errors import UserError
from src.weights.ckpt import EMA_PREFIX, OPTIMIZER_PREFIX

# A network in another Cell or Module has the name of that attribute before all of its names.
WRAPPERS = (
    "network.", "_network.", "net.", "_net.", "backbone.", "_backbone.", "module.", "model.", "_orig_mod.",
)  # fmt: skip

# What optimizers keep for each weight: those of mindspore/nn/optim and mindspore/experimental/optim, and MindCV's Lion.
# A state has the name of its weight after a dot; after an underscore in AdaFactor, and in a part of ASGD.
OPTIMIZER_STATES = (
    "accum.", "accum_update.", "adam_m.", "adam_v.", "ax.", "ax_.", "delta_weight.", "eta_", "exp_avg.", "exp_avg_sq.",
    "exp_avg_sq_", "exp_avg_sq_col_", "exp_avg_sq_row_", "exp_inf.", "grad_accumulation.", "lamb_m.", "lamb_v.",
    "linear.", "lion_m.", "max_exp_avg_sq.", "mean_grad.", "mean_square.", "moment.", "moment1.", "moment2.",
    "moments.", "mu_", "prev.", "stat.", "step_size.", "vhat.",
)  # fmt: skip

COUNTERS = ("num_batches_tracked", "calls")  # of PyTorch's BatchNorm and of our random Cells
VECTORS = re.compile(r"learning_rate(_group_\d+)?")  # the rates of all steps


class Records(NamedTuple):
    """The tensors of a file: weights by the names that their network gives them, and the names of all others."""

    raw: dict[str, np.ndarray]
    averaged: dict[str, np.ndarray]
    others: list[str]


def sort_records(stored: Mapping[str, np.ndarray], path: Path) -> Records:
    """Sort the tensors of the file at `path`.

    A state of an optimizer is recognized by the weight that it belongs to. A number without a dot in its name, such as
    `global_step`, belongs to no layer. What is neither is taken as a weight, so that it is not lost without a word.

    Raises:
        UserError: two tensors have the same name but for the Cell that their network is in.
    """
    raw: dict[str, np.ndarray] = {}
    averaged: dict[str, np.ndarray] = {}
    others = []
    for name, value in stored.items():
        plain = _unwrapped(name)
        weights = averaged if plain.startswith(EMA_PREFIX) else raw
        plain = _unwrapped(plain.removeprefix(EMA_PREFIX))
        if _is_number_of_training(plain, value):
            others.append(name)
        elif plain in weights:
            raise UserError(f"{path} holds {plain} twice, once as {name}; it mixes two networks")
        else:
            weights[plain] = value
    for name in [name for name in raw if _is_optimizer_state(name, raw.keys() | averaged.keys())]:
        del raw[name]
        others.append(name)
    return Records(raw, averaged, [name for name in others if name.rsplit(".", 1)[-1] not in COUNTERS])


def _unwrapped(name: str) -> str:
    """Return a name without the attributes that lead to its network."""
    while name.startswith(WRAPPERS):
        name = name.partition(".")[2]
    return name


def _is_number_of_training(name: str, value: np.ndarray) -> bool:
    if name.startswith(OPTIMIZER_PREFIX) or name.rsplit(".", 1)[-1] in COUNTERS:
        return True
    return "." not in name and (value.size <= 1 or VECTORS.fullmatch(name) is not None)


def _is_optimizer_state(name: str, weights: set[str]) -> bool:
    belongs_to = (name.removeprefix(state) for state in OPTIMIZER_STATES if name.startswith(state))
    return any(_unwrapped(weight) in weights for weight in belongs_to)

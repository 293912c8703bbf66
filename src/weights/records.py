"""Sort the records of a weight file into weights, averaged weights, and what a training keeps beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from src.errors import UserError
from src.weights.ckpt import EMA_PREFIX
from src.weights.sources import SOURCES

# Attributes in which PyTorch (compile, FSDP, checkpointing) and Lightning keep any module.
WRAPPERS = re.compile(r"(?<![^./])(_orig_mod|_forward_module|_fsdp_wrapped_module|_checkpoint_wrapped_module)\.")
AVERAGED = {"ema", "swa", "average", "averaged"}  # in the name of what holds averages, such as `model_ema.module.`

# What optimizers keep for each weight: those of mindspore/nn/optim and mindspore/experimental/optim, and MindCV's Lion.
# A state has the name of its weight after a dot; after an underscore in AdaFactor, and in a part of ASGD.
OPTIMIZER_STATES = (
    "accum.", "accum_update.", "adam_m.", "adam_v.", "ax.", "ax_.", "delta_weight.", "eta_", "exp_avg.", "exp_avg_sq.",
    "exp_avg_sq_", "exp_avg_sq_col_", "exp_avg_sq_row_", "exp_inf.", "grad_accumulation.", "lamb_m.", "lamb_v.",
    "linear.", "lion_m.", "max_exp_avg_sq.", "mean_grad.", "mean_square.", "moment.", "moment1.", "moment2.",
    "moments.", "mu_", "prev.", "stat.", "step_size.", "vhat.",
)  # fmt: skip

COUNTERS = ("num_batches_tracked", "calls")  # of PyTorch's BatchNorm and of our random Cells
TRAINER_WORDS = {  # in the name of an attribute that belongs to a training, such as `loss_scale.`
    "acc", "accuracy", "criterion", "loss", "metric", "metrics", "optimizer", "sampler", "scaler", "scheduler",
}  # fmt: skip


class Records(NamedTuple):
    """The tensors of a file: weights by the names that their network gives them, and the names of all others."""

    raw: dict[str, np.ndarray]
    averaged: dict[str, np.ndarray]
    others: list[str]


def sort_records(stored: Mapping[str, np.ndarray], path: Path) -> Records:
    """Sort the tensors of the file at `path`.

    A network may be in other modules, whose attributes stand before all of its names, and in a dictionary, whose key
    stands before a slash. Its first layer and its classifier show where it is. Other dictionaries belong to the
    training. A state of an optimizer is recognized by the weight that it belongs to. All other tensors are taken as
    weights, so that none is lost without a word.

    Raises:
        UserError: the file holds several networks, or two tensors of the same name.
    """
    names = {name: WRAPPERS.sub("", name) for name in stored}
    roots = _find_roots(set(names.values()), path)
    raw: dict[str, np.ndarray] = {}
    averaged: dict[str, np.ndarray] = {}
    others = []
    for stored_name, name in names.items():
        is_average = name.startswith(roots.averaged)
        plain = _within(name, roots.averaged if is_average else roots.raw)
        weights = averaged if is_average else raw
        if _dictionary(name) not in roots.dictionaries or _is_of_training(plain, stored[stored_name]):
            others.append(stored_name)
        elif plain in weights:
            raise UserError(f"{path} holds {plain} twice, once as {stored_name}; it mixes two networks")
        else:
            weights[plain] = stored[stored_name]
    for name in [name for name in raw if _is_optimizer_state(name, raw.keys() | averaged.keys(), roots.raw)]:
        del raw[name]
        others.append(name)
    return Records(raw, averaged, [name for name in others if name.rsplit(".", 1)[-1] not in COUNTERS])


class _Roots(NamedTuple):
    """Prefixes of the names of a network in a file, and of those of its averages."""

    raw: str
    averaged: str
    dictionaries: set[str]


def _find_roots(names: set[str], path: Path) -> _Roots:
    """Find the places of a network and of its averages by their first layers and classifiers.

    Raises:
        UserError: there are several networks, of which the user must choose one.
    """
    found = sorted(_all_roots(names))
    averaged = [root for root in found if AVERAGED & set(re.split(r"[./_]", root.lower()))]
    raw = [root for root in found if root not in averaged]
    for roots in (raw, averaged):
        if len(roots) > 1:
            places = " and ".join(root.rstrip("./") or "plain names" for root in roots)
            raise UserError(f"{path} holds several networks, under {places}; save one of them in a file of its own")
    root = raw[0] if raw else ""
    dictionaries = {_dictionary(root) for root in found} or {_dictionary(name) for name in names}
    return _Roots(root, averaged[0] if averaged else EMA_PREFIX + root, dictionaries)


def _all_roots(names: set[str]) -> Iterator[str]:
    """Give what stands before the first layer of a network whose classifier is in the same module or in an outer one.

    The states that an optimizer keeps for these layers are no network.
    """
    for stem, classifier in {(source.stem, source.classifier) for source in SOURCES}:
        for name in names:
            root = name.removesuffix(stem)
            is_root = name.endswith(stem) and (not root or root[-1] in "./")
            if is_root and any(outer + classifier in names for outer in _outer(root)) and not _is_training_part(root):
                yield root


def _is_training_part(root: str) -> bool:
    return any(f"{part}." in OPTIMIZER_STATES or part in TRAINER_WORDS for part in re.split(r"[./]", root))


def _dictionary(name: str) -> str:
    """Return the keys of the dictionary that a tensor is in, with a slash at the end; "" for that of the whole file."""
    return name[: name.rfind("/") + 1]


def _outer(root: str) -> list[str]:
    """Return a root and those of the modules around it, innermost first."""
    start = len(_dictionary(root))
    return [root[: index + 1] for index in range(len(root) - 1, start - 1, -1) if root[index] == "."] + [root[:start]]


def _within(name: str, root: str) -> str:
    """Return a name as the innermost of the modules at `root` gives it that holds the tensor."""
    return name.removeprefix(next((outer for outer in _outer(root) if name.startswith(outer)), ""))


def _is_of_training(name: str, value: np.ndarray) -> bool:
    """Return whether a tensor is no weight of a layer. Names of weights have a dot, after the name of their layer."""
    _, dot, last = name.rpartition(".")
    is_setting = not dot and value.ndim <= 1
    is_counter = last in COUNTERS or (value.size <= 1 and value.dtype.kind in "iub")
    return is_setting or is_counter or bool(TRAINER_WORDS & set(name.partition(".")[0].split("_")))


def _is_optimizer_state(name: str, weights: set[str], root: str) -> bool:
    belongs_to = (name.removeprefix(state) for state in OPTIMIZER_STATES if name.startswith(state))
    return any(_within(weight, root) in weights for weight in belongs_to)

"""Resume a run: which folder, which checkpoint, and whether it is still the same run."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from src.config import TrainingConfig
from src.config.defaults import choose_run_dir
from src.design.architecture_file import from_dict, from_meta, to_dict
from src.design.differences import differences
from src.errors import UserError
from src.runtime.collectives import broadcast_from_first
from src.runtime.workers import usable_cores
from src.training.checkpoint import Checkpoint, newest_checkpoint, previous_generation, read_checkpoint
from src.training.run_folder import RunFolder

logger = logging.getLogger(__name__)

# Settings that may change when a run is resumed, because the weights come out the same. (The epsilon in use is compared
# as a part of the architecture.)
FREE_SETTINGS = {
    "run_dir", "resume", "allow_changes", "debug", "device_target", "device_id", "data_path", "check_data", "cache",
    "workers", "eval_interval", "data_sink", "log_interval", "checkpoint_minutes", "tensorboard", "ckpt", "weights",
    "pretrained", "replace_head", "model", "num_classes", "input_size", "crop_pct", "bn_epsilon", "class_order",
    "cpu_kernels",
    "train_json", "train_images", "val_json", "val_images", "min_score", "candidates", "nms_overlap", "max_objects",
}  # fmt: skip
NOT_COMPARED = {"config", "steps", "images"}  # keys of an identity; `config` is compared setting by setting
# What checkpoints of earlier versions do not name.
FIRST_VALUES: dict[str, Any] = {"task": "classification", "cpu_kernels": False}
LONGEST_VALUE = 60  # characters of a value in an error line


def find_run(config: TrainingConfig) -> tuple[RunFolder, Checkpoint | None]:
    """Return the folder of this run, and the checkpoint that it resumes from.

    Raises:
        UserError: no run is named, the checkpoint is missing or damaged, or the folder holds another run.
    """
    resume = config.resume
    folder = choose_run_dir(config.run_dir, resume, Path(config.model or "model").stem)
    run = RunFolder(folder)
    if resume == "auto":
        newest = newest_checkpoint(run.last)
        if newest is None:
            logger.info("%s holds no checkpoint to resume from: starting a new run", folder)
        return run, newest
    if any(path.exists() for path in (run.last, previous_generation(run.last))) and not (
        resume and os.path.dirname(os.path.realpath(resume)) == os.path.realpath(run.last.parent)
    ):
        raise UserError(
            f"run_dir {folder} already holds a run; resume it with --resume auto, or give another --run_dir"
        )
    return run, read_checkpoint(Path(resume)) if resume else None


def broadcast_meta(checkpoint: Checkpoint | None) -> dict[str, Any]:
    """Return the `meta` of rank 0's checkpoint on every rank; empty for a new run."""
    return json.loads(broadcast_from_first(json.dumps(checkpoint.meta if checkpoint else {}).encode()))


def check_same_run(
    path: Path, before: dict[str, Any], now: dict[str, Any], fixed: Sequence[str], *, allowed: bool
) -> None:
    """Compare the identity in a checkpoint's `meta` with that of the run which resumes from it.

    Args:
        path: the checkpoint, for messages.
        before: the checkpoint's `meta`.
        now: the identity of the run, see `run_identity`.
        fixed: keys without which a run cannot be resumed at all.
        allowed: only warn of changes that alter the result.

    Raises:
        UserError: a difference would alter the result and is not `allowed`, or is in a `fixed` key.
    """
    before = FIRST_VALUES | before
    if described := from_meta(before):  # earlier versions describe the same network with fewer fields
        before["architecture"] = to_dict(described)
    changes = {key: (before[key], now[key]) for key in now if key not in NOT_COMPARED and _differs(key, before, now)}
    old, new = before["config"], now["config"]
    free = FREE_SETTINGS | ({"epochs"} if new["schedule"] != "cosine" else set())
    settings = [key for key in new if key in old and key not in free]
    changes |= {key: (old[key], new[key]) for key in settings if old[key] != new[key]}
    if not changes:
        return
    named = "; ".join(_describe(key, *values) for key, values in changes.items())
    if any(key in changes for key in ("task", *fixed)):
        raise UserError(f"resume: {path} is of another run: {named}; start a new one, with --ckpt")
    if not allowed:
        raise UserError(f"resume: {named}; that changes the result: {_advice(changes)}, or add --allow_changes")
    logger.warning("resuming from %s although %s", path, named)


def _advice(changes: dict[str, tuple[Any, Any]]) -> str:
    """Return how to resume with the same result. More workers than usable cores are refused by MindData."""
    cores = usable_cores()
    before = changes["workers"][0] if "workers" in changes else 0
    if before > cores:
        return f"resume where {before} cores may be used, not {cores}"
    return "set it back"


def _differs(key: str, before: dict[str, Any], now: dict[str, Any]) -> bool:
    if key == "architecture":
        return before[key] != now[key] and bool(differences(from_dict(before[key]), from_dict(now[key])))
    return before[key] != now[key]


def _describe(key: str, old: Any, new: Any) -> str:
    if key == "architecture":
        return f"architecture has changed: {'; '.join(differences(from_dict(new), from_dict(old))[:3])}"
    return f"{key} was {_short(old)} and is {_short(new)} now"


def _short(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 3] + "..."

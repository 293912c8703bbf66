"""Going on with a run: which folder, which checkpoint, and whether it is still the same run."""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path
from typing import Any

import numpy as np

from src.config import TrainConfig
from src.design.architecture_file import from_dict
from src.design.differences import differences
from src.errors import UserError
from src.images.folder import ImageFolder, fingerprint
from src.runtime.collectives import broadcast_from_first
from src.training.checkpoint import generation_before, newest_state, read_state
from src.training.run_folder import RunFolder

logger = logging.getLogger(__name__)

# Keys that may change when a run goes on: its weights come out the same.
FREE = {
    "run_dir", "resume", "allow_changes", "debug", "device_target", "device_id", "data_path", "check_data", "cache",
    "workers", "eval_interval", "data_sink", "log_interval", "checkpoint_minutes", "tensorboard", "ckpt", "weights",
    "replace_head", "model", "num_classes", "input_size", "crop_pct",
}  # fmt: skip
# A checkpoint of another network or other classes cannot be gone on with at all.
FIXED = ("model", "architecture", "classes")
IDENTITY = (*FIXED, "preprocess", "data", "device", "ranks", "workers")  # as they are in effect, whatever keys say

Start = tuple[Path, dict[str, np.ndarray], dict[str, Any]]


def find_run(config: TrainConfig) -> tuple[RunFolder, Start | None]:
    """The folder of this run, and the checkpoint (path, tensors, meta) that it goes on from.

    Raises:
        UserError: no run is named, there is no such checkpoint, none is whole, or the folder holds another run.
    """
    folder, resume = config.run_dir, config.resume
    if folder is None and resume == "auto":
        raise UserError("resume is auto, but no run is named; give --run_dir")
    if folder is None and resume:
        if Path(resume).resolve().parent.name != "checkpoints":
            raise UserError(f"resume: {resume} is not in the folder of a run; give --run_dir")
        folder = Path(resume).resolve().parent.parent
    if folder is None:
        folder = Path("runs") / f"{Path(config.model or 'model').stem}-{time.strftime('%Y%m%d-%H%M%S')}"
    run = RunFolder(folder)
    if resume == "auto":
        start = newest_state(run.last)
        if start is None:
            logger.info("there is nothing to go on from in %s: starting anew", folder)
        return run, start
    if any(path.exists() for path in (run.last, generation_before(run.last))) and not (
        resume and Path(resume).resolve().parent == run.last.resolve().parent
    ):
        raise UserError(f"run_dir {folder} already holds a run; go on with --resume auto, or give another --run_dir")
    return run, (Path(resume), *read_state(Path(resume))) if resume else None


def broadcast_meta(start: Start | None) -> dict[str, Any]:
    """The `meta` of rank 0's checkpoint on every rank; empty when training starts anew."""
    return json.loads(broadcast_from_first(json.dumps(start[2] if start else {}).encode()))


def dataset_fingerprint(train: ImageFolder, val: ImageFolder) -> str:
    """What tells a data set from others, wherever it lies: how many images, and a hash of labels, names and sizes."""
    return f"{len(train)} + {len(val)} images {fingerprint(train)[:8]}{fingerprint(val)[:8]}"


def check_same_run(path: Path, was: dict[str, Any], now: dict[str, Any], *, allowed: bool) -> None:
    """Compare the `meta` of a checkpoint with that of the run which is to go on from it; warn of what is `allowed`.

    Raises:
        UserError: naming what differs, when it would change the result and is not `allowed`, or cannot be at all.
    """
    changes = {key: (was[key], now[key]) for key in IDENTITY if was[key] != now[key]}
    before, after = was["config"], now["config"]
    free = FREE | ({"epochs"} if after["schedule"] != "cosine" else set())
    keys = [key for key in after if key in before and key not in free]
    changes |= {key: (before[key], after[key]) for key in keys if before[key] != after[key]}
    if not changes:
        return
    named = "; ".join(_named(key, old, new) for key, (old, new) in changes.items())
    if any(key in changes for key in FIXED):
        raise UserError(f"resume: {path} is of another run: {named}; start a new one, with --ckpt")
    if not allowed:
        raise UserError(f"resume: {named}; that changes the result: set it back, or say --allow_changes")
    logger.warning("going on from %s although %s", path, named)


def _named(key: str, old: Any, new: Any) -> str:
    if key == "architecture":
        found = differences(from_dict(new), from_dict(old))
        return f"architecture is another: {'; '.join(found[:3]) or 'in name alone'}"
    return f"{key} was {_short(old)} and is {_short(new)} now"


def _short(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."

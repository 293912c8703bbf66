"""Defaults of a training that the user does not name: its configuration and its run folder."""

from __future__ import annotations

import os
import time
from pathlib import Path

from src.config.options import EMBEDDED
from src.errors import UserError

CONFIGS = Path(__file__).resolve().parents[2] / "config"


def default_config(data_path: str) -> Path:
    """Return the configuration of a training that names none: for embedded data, or for a folder of images."""
    return CONFIGS / ("digits.yaml" if data_path in EMBEDDED else "tinynet_c.yaml")


def choose_run_dir(run_dir: Path | None, resume: str | None, name: str) -> Path:
    """Return the folder of a run: `run_dir`, else that of the checkpoint `resume`, else a new one, runs/`name`-DATE.

    Args:
        run_dir: the folder that the user gave.
        resume: "auto", the checkpoint to resume from, or None.
        name: what the new folder is named after, such as the model.

    Raises:
        UserError: `resume` does not say which run is meant.
    """
    if run_dir is not None:
        return run_dir
    if resume == "auto":
        raise UserError("resume is auto, but no run is named; give --run_dir")
    if resume:
        checkpoints = Path(os.path.realpath(resume)).parent  # `Path.resolve` fails for links in a circle
        if checkpoints.name != "checkpoints":
            raise UserError(f"resume: {resume} is not in the folder of a run; give --run_dir")
        return checkpoints.parent
    return Path("runs") / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"

"""The train.py command that every worker runs."""

from __future__ import annotations

from pathlib import Path

from src.config.defaults import choose_run_dir, default_config
from src.config.launch import LaunchConfig
from src.errors import UserError

TRAIN = Path(__file__).resolve().parents[2] / "train.py"


def train_command(config: LaunchConfig, flags: list[str]) -> tuple[list[str], Path]:
    """Return train.py with its arguments, and the folder of the run, which all workers share.

    `flags` are those that the launcher passes on unchanged.

    Raises:
        UserError: the checkpoint to resume from does not exist, or `resume` does not say which run is meant.
    """
    if config.resume and config.resume != "auto" and not Path(config.resume).is_file():
        raise UserError(f"resume: there is no checkpoint {config.resume}")
    recipe = config.config or default_config(config.data_path)
    run_dir = choose_run_dir(config.run_dir, config.resume, recipe.stem)
    command = [str(TRAIN), "--config", str(recipe), "--data_path", config.data_path, *flags, "--run_dir", str(run_dir)]
    return [*command, *(["--resume", config.resume] if config.resume else [])], run_dir

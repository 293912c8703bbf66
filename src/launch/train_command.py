"""The command that every worker runs: train.py, or detect.py train for a detector."""

from __future__ import annotations

from pathlib import Path

from src.cli import read_yaml
from src.config.defaults import choose_run_dir, default_config
from src.config.launch import LaunchConfig
from src.errors import UserError

PROJECT = Path(__file__).resolve().parents[2]
TRAIN, DETECT = PROJECT / "train.py", PROJECT / "detect.py"
DETECTOR = "detector"  # the key of a configuration that trains a detector


def train_command(config: LaunchConfig, flags: list[str]) -> tuple[list[str], Path]:
    """Return the command with its arguments, and the folder of the run, which all workers share.

    `flags` are those that the launcher passes on unchanged.

    Raises:
        UserError: the checkpoint to resume from does not exist, or `resume` does not say which run is meant.
    """
    if config.resume and config.resume != "auto" and not Path(config.resume).is_file():
        raise UserError(f"resume: there is no checkpoint {config.resume}")
    recipe = config.config or default_config(config.data_path)
    run_dir = choose_run_dir(config.run_dir, config.resume, recipe.stem)
    command = [
        *training_program(recipe),
        "--config",
        str(recipe),
        "--data_path",
        config.data_path,
        *flags,
        "--run_dir",
        str(run_dir),
    ]
    return [*command, *(["--resume", config.resume] if config.resume else [])], run_dir


def training_program(recipe: Path) -> list[str]:
    """Return the script, and its command, that trains what a configuration describes.

    Raises:
        UserError: the configuration cannot be read. The command itself names one that is missing.
    """
    is_detector = recipe.is_file() and DETECTOR in read_yaml(recipe)
    return [str(DETECT), "train"] if is_detector else [str(TRAIN)]

"""Train on one device: `python -m src.launch.standalone DATA_PATH CONFIG RESUME`, called by run_standalone_train.sh."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from src.config.defaults import default_config
from src.errors import UserError
from src.launch.train_command import training_program
from src.runtime.streams import prepare_streams, report


def standalone_command(data_path: str, config: str, resume: str) -> list[str]:
    """Return the training with its arguments. An empty `config` or `resume` means its default.

    Raises:
        UserError: the configuration cannot be read.
    """
    recipe = Path(config) if config else default_config(data_path)
    command = [*training_program(recipe), "--data_path", data_path, "--config", str(recipe)]
    return [*command, *(["--resume", resume] if resume else [])]


def main(data_path: str, config: str, resume: str) -> int:
    """Become the training; return only if there is none."""
    prepare_streams()
    try:
        command = standalone_command(data_path, config, resume)
    except UserError as error:
        return report(error)
    os.execv(sys.executable, [sys.executable, *command])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

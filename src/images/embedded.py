"""Embedded data sets: image folders that a command writes at their first use, as a whole and only once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from src.errors import UserError
from src.runtime.files import atomic_folder

logger = logging.getLogger(__name__)

DATA = Path(__file__).resolve().parents[2] / "data"


def write_once(folder: Path, kind: str, write: Callable[[Path], None]) -> Path:
    """Write an embedded data set unless its folder exists. Of two processes that write it, one wins.

    Args:
        folder: the data set, which takes its name when it is complete.
        kind: what it holds, for messages, such as "digits".
        write: writes the data set into an empty folder.

    Raises:
        UserError: the folder cannot be written.
    """
    if folder.is_dir():
        return folder
    try:
        with atomic_folder(folder) as building:
            write(building)
    except OSError as error:
        if not folder.is_dir():  # else another process has written it meanwhile
            raise UserError(f"cannot write the {kind} to {folder}: {error.strerror}") from None
    else:
        logger.info("wrote the %s to %s", kind, folder)
    return folder

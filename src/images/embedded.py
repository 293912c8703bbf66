"""Embedded data sets: image folders that a command writes at their first use, as a whole and only once."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from src.errors import UserError

logger = logging.getLogger(__name__)

DATA = Path(__file__).resolve().parents[2] / "data"


def write_once(folder: Path, kind: str, write: Callable[[Path], None]) -> Path:
    """Write an embedded data set unless its folder exists. Of two processes that write it, one wins.

    Args:
        folder: the data set, which takes its name when it is complete.
        kind: what it holds, for messages, such as "digits".
        write: writes the data set into a new folder.

    Raises:
        UserError: the folder cannot be written.
    """
    if folder.is_dir():
        return folder
    try:
        _write_whole(folder, write)
    except OSError as error:
        if not folder.is_dir():  # else another process has written it meanwhile
            raise UserError(f"cannot write the {kind} to {folder}: {error.strerror}") from None
    else:
        logger.info("wrote the %s to %s", kind, folder)
    return folder


def _write_whole(folder: Path, write: Callable[[Path], None]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    building = place / folder.name  # with the mode that the umask gives; that of `place` is 0700
    try:
        write(building)
        os.rename(building, folder)
    finally:
        shutil.rmtree(place)

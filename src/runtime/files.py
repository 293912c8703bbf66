"""Files that are never half there: written beside, synced, then put in place of the old one."""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from src.errors import UserError


@contextlib.contextmanager
def atomic_write(path: Path, previous: Path | None = None) -> Iterator[Path]:
    """A temporary path with the name of `path`, whose file replaces `path` whole when the block ends without error.

    What `path` held until then is kept as `previous`. At no moment are both missing.

    Raises:
        UserError: the folder cannot be written to; `path` is as it was.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            prefix=f".{path.name}-", dir=path.parent, ignore_cleanup_errors=True
        ) as folder:
            temporary = Path(folder) / path.name
            yield temporary
            fsync_file(temporary)
            if previous is not None and path.exists():
                _keep(path, previous, Path(folder))
            temporary.replace(path)
            _sync_folder(path.parent)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}") from error


def fsync_file(path: Path) -> None:
    """Let everybody read a finished file, and wait until the disk holds it."""
    path.chmod(0o644)
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def remove_leftovers(*paths: Path) -> None:
    """Remove what processes that were killed have left beside `paths`; nobody may be writing them now."""
    for path in paths:
        for folder in path.parent.glob(f".{glob.escape(path.name)}-*"):
            shutil.rmtree(folder, ignore_errors=True)


def _keep(path: Path, previous: Path, folder: Path) -> None:
    """Give the file a second name; where the file system knows no links, move it."""
    link = folder / previous.name
    try:
        os.link(path, link)
    except OSError:
        path.replace(previous)
    else:
        link.replace(previous)


def _sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut; some network file systems know no such call."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

"""Atomic files: written to a temporary file and synced, which then replaces the old file."""

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
    """Give a temporary path. Its file replaces `path` when the block ends without error.

    The old file of `path` is kept as `previous`, if that is given. At every moment at least one of the two exists.

    Raises:
        UserError: the folder cannot be written to; `path` is unchanged.
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
                _keep_previous(path, previous, Path(folder))
            temporary.replace(path)
            _sync_folder(path.parent)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}") from error


def check_replaceable(path: Path, mark: bytes, fault: str) -> None:
    """Check that writing `path` loses no file of the user: there is none, it is empty, or it contains `mark`.

    Raises:
        UserError: there is another file; `fault` says why it is kept.
    """
    try:
        if not path.exists() or (path.is_file() and path.stat().st_size == 0):
            return
        if path.is_file() and mark in path.read_bytes():
            return
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from None
    raise UserError(f"{path} exists and {fault}; give another name, or remove it")


def fsync_file(path: Path) -> None:
    """Make a complete file readable for all users, and wait until it is on the disk."""
    path.chmod(0o644)
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def remove_leftovers(*paths: Path) -> None:
    """Remove temporary files that killed processes have left beside `paths`. No process may be writing `paths`."""
    for path in paths:
        for folder in path.parent.glob(f".{glob.escape(path.name)}-*"):
            shutil.rmtree(folder, ignore_errors=True)


def _keep_previous(path: Path, previous: Path, folder: Path) -> None:
    """Link `path` as `previous`; on file systems without hard links, move it."""
    link = folder / previous.name
    try:
        os.link(path, link)
    except OSError:
        path.replace(previous)
    else:
        link.replace(previous)


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power failure; some network file systems do not support this call."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

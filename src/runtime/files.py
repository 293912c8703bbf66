"""Atomic files, written to a temporary file and synced, which then replaces the old file; and atomic folders."""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from src.errors import UserError


@contextlib.contextmanager
def atomic_write(path: Path, previous: Path | None = None, durable: bool = True) -> Iterator[Path]:
    """Give a temporary path. Its file replaces `path` when the block ends without error.

    The old file of `path` is kept as `previous`, if that is given. At every moment at least one of the two exists.
    Only a `durable` file is on the disk when the block ends; another one may be empty after a power failure.

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
            finish_file(temporary, durable)
            if previous is not None and path.exists():
                _keep_previous(path, previous, Path(folder))
            temporary.replace(path)
            if durable:
                _sync_folder(path.parent)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}") from error


@contextlib.contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """Give the path of a new folder, which becomes `folder` when the block ends without error.

    Raises:
        OSError: it cannot be written, or `folder` exists and is not empty.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    building = place / folder.name  # with the mode that the umask gives; that of `place` is 0700
    try:
        building.mkdir()
        yield building
        os.rename(building, folder)
    finally:
        shutil.rmtree(place)


def check_working_folder() -> None:
    """Check that the working folder exists; MindSpore ends the process where it does not.

    Raises:
        UserError: it was removed.
    """
    try:
        os.getcwd()
    except OSError as error:
        raise UserError(f"the working folder cannot be used ({error.strerror}); change into another one") from None


def write_text(path: Path, text: str, durable: bool = True) -> None:
    """Replace a file by a text in UTF-8. Names of files that are not UTF-8 are written with their own bytes.

    Raises:
        UserError: as `atomic_write`.
    """
    with atomic_write(path, durable=durable) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="surrogateescape")


def check_replaceable(path: Path, start: bytes, fault: str) -> None:
    """Check that writing `path` loses no file of the user: there is none, it is empty, or it begins with `start`.

    Raises:
        UserError: there is another file; `fault` says why it is kept.
    """

    def begins_so(path: Path) -> bool:
        with open(path, "rb") as file:
            return file.read(len(start)) == start

    check_output(path, begins_so, fault=fault)


def check_output(
    path: Path,
    is_own: Callable[[Path], bool],
    *read: str | Path | None,
    fault: str = "was not made by this program",
) -> None:
    """Check that writing `path` loses no file of the user. Call this before the work whose result it will hold.

    Args:
        is_own: says of a file that exists whether this program has made it and may replace it.
        read: files that the program reads; names that are no files are ignored.
        fault: why a file that is not the program's own is kept.

    Raises:
        UserError: `path` is one of the files that are read, or somebody else's, or its folder cannot be written.
    """
    try:
        with tempfile.TemporaryDirectory(dir=next(folder for folder in path.absolute().parents if folder.exists())):
            pass  # the file could be written there
        if not path.exists() or (path.is_file() and path.stat().st_size == 0):
            return
        for file in read:
            if file is not None and os.path.exists(file) and os.path.samefile(file, path):
                raise UserError(f"{path} is read and would be overwritten; give another name")
        if path.is_file() and is_own(path):
            return
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from None
    raise UserError(f"{path} exists and {fault}; give another name, or remove it")


def require_space(folder: Path, size: int) -> None:
    """Check that a folder has room for a file of `size` bytes, for libraries that do not say so in one line.

    Raises:
        OSError: the disk is full, or such a file is not allowed there.
    """
    with tempfile.TemporaryFile(dir=folder) as file:
        os.posix_fallocate(file.fileno(), 0, size)


def finish_file(path: Path, durable: bool = True) -> None:
    """Give a complete file the mode of a new file, and wait until a `durable` one is on the disk.

    Libraries choose a mode of their own, such as MindSpore 0400. The umask decides instead, as for any new file.
    """
    probe = path.with_name(f"{path.name}.mode")  # to read the umask itself is not safe with threads
    probe.touch()
    path.chmod(probe.stat().st_mode & 0o777)
    probe.unlink()
    if durable:
        with open(path, "rb") as file:
            os.fsync(file.fileno())


@contextlib.contextmanager
def plain_path(folder: Path) -> Iterator[Path]:
    """Give another path of a folder, without spaces and the like: MindSpore writes no file whose path has them."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        yield Path(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)


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

"""Faults of image files: find them in threads, and name them in one error line."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, TypeVar

from tqdm import tqdm

from src.errors import UserError
from src.images.image_file import ImageError, ImageRef
from src.images.minddata import training_error
from src.runtime.texts import printable

Check = Literal["auto", "full", "quick", "off"]
File = TypeVar("File", str, ImageRef)

HOW_TO_LIST = "`python check_dataset.py --data_path DIR` lists all"  # of a folder of classes
FULL_CHECK_LIMIT = 20_000  # images; to decode more takes minutes, so `auto` then looks at their ends only
MAX_NAMED = 5  # files or classes that an error line names
# The end of a Python trace in MindData's error, with the text of our exception.
NAMED = re.compile(rf"^[\w.]*{ImageError.__name__}: (?!Traceback)(.+?)\n\n", re.MULTILINE | re.DOTALL)


def is_full_check(check: Check, images: int) -> bool:
    """Return whether `check` asks to read all of so many images."""
    return check == "full" or (check == "auto" and images <= FULL_CHECK_LIMIT)


def find_faults(
    files: Sequence[File], inspect: Callable[[File], str], workers: int = 1, title: str = "check"
) -> list[str]:
    """Return `FILE: FAULT` for each file for which `inspect` returns a fault, in order.

    A progress bar appears after one second.
    """
    with ThreadPoolExecutor(workers) as pool:
        results = tqdm(pool.map(inspect, files), title, len(files), unit="img", delay=1, leave=False, disable=None)
        return [f"{file}: {fault}" for file, fault in zip(files, results, strict=True) if fault]


@contextlib.contextmanager
def explain_bad_files(files: Sequence[ImageRef], workers: int = 1, how_to_list: str = HOW_TO_LIST) -> Iterator[None]:
    """If MindData fails in this block, name the bad ones of `files` instead of showing its stack.

    Our own functions name the image that they cannot decode. After an error of MindData's decoder, all are decoded.

    Raises:
        UserError: some files are bad. If none is, MindData's own error is raised.
    """
    try:
        yield
    except RuntimeError as error:
        if named := NAMED.search(str(error)):
            raise bad_files_error([named[1]], how_to_list) from None
        if faults := find_faults(files, training_error, workers, "look for the bad file"):
            raise bad_files_error(faults, how_to_list) from None
        raise


def bad_files_error(faults: list[str], how_to_list: str = HOW_TO_LIST) -> UserError:
    """Return the error for files with `faults`, one line a file. `how_to_list` says how to find the others."""
    return UserError(
        f"{len(faults)} bad file{'s' * (len(faults) > 1)}: {name_first(faults, '; ')}; remove or replace "
        f"({how_to_list})"
    )


def name_first(names: Sequence[str], separator: str = ", ") -> str:
    """Return the first few names in one line, and how many more there are."""
    more = f"{separator}and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return separator.join(map(printable, names[:MAX_NAMED])) + more

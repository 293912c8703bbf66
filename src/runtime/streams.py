"""The streams of a program: text that any terminal takes, and what ended the program as one line and an exit status."""

from __future__ import annotations

import contextlib
import io
import os
import sys

from src.errors import Diverged, UserError, describe_os_error
from src.runtime.texts import printable, shortened

LONGEST_ERROR = 1000  # characters of a reason; its start names the place, its end says what to do


def prepare_streams() -> None:
    """Let `print` escape what a stream cannot encode, such as the bytes of a name that is not UTF-8.

    Closed streams are connected to /dev/null. Otherwise the next file that is opened would get the number 1 or 2, and
    what a library prints would go into that file.
    """
    for name, mode in {"stdin": "r", "stdout": "w", "stderr": "w"}.items():
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 - for the whole program
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace" if mode == "w" else None)


def flush_output() -> None:
    """Write out what was printed, so that a full disk is noticed before the interpreter's end.

    Raises:
        BrokenPipeError: the reader of a pipe has closed it.
        UserError: standard output cannot be written.
    """
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UserError(f"cannot write to standard output: {error.strerror}") from None


def report(error: BaseException) -> int:
    """Print what ended a program as one line, and return its exit status.

    Errors of the operating system are mistakes of the user: a folder of somebody else, a full disk, a name too long.
    """
    _drop_output()
    if isinstance(error, BrokenPipeError):  # the reader of a pipe, such as `head`, has closed it
        return 0
    if isinstance(error, KeyboardInterrupt):
        print_error("interrupted")
        return 130
    reason = describe_os_error(error) if isinstance(error, OSError) else str(error)
    print_error(f"error: {shortened(printable(reason), LONGEST_ERROR)}")
    return 3 if isinstance(error, Diverged) else 2


def print_error(*lines: str) -> None:
    """Print lines on stderr, if anybody reads it."""
    with contextlib.suppress(OSError):
        print(*lines, sep="\n", file=sys.stderr, flush=True)


def _drop_output() -> None:
    """Write out what was printed, or drop it: the interpreter would fail with a trace if it tried again at its end."""
    try:
        flush_output()
    except (OSError, UserError):
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - until the end

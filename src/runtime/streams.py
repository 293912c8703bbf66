"""The streams of a program: text that any terminal takes, and what ended the program as one line and an exit status."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import Any

from src.errors import Diverged, UserError, describe_os_error
from src.runtime.texts import printable, printable_lines, shortened

LONGEST_ERROR = 1000  # characters of a reason; its start names the place, its end says what to do


class _Output(io.FileIO):
    """Standard output, whose errors say that it is meant: it is written whenever a buffer is full."""

    def write(self, text: Any) -> int:
        try:
            return super().write(text)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise UserError(f"cannot write to standard output: {error.strerror}") from None


class _Lines(io.TextIOWrapper):
    """Lines without control characters: a name in them must not move the cursor or color a terminal."""

    def write(self, text: str) -> int:
        return super().write(printable_lines(text))


def prepare_streams() -> None:
    """Let `print` escape control characters, and what a stream cannot encode.

    Closed streams are connected to /dev/null. Otherwise the next file that is opened would get the number 1 or 2, and
    what a library prints would go into that file. A closed standard output cannot be written, so that no result is
    lost without a word.
    """
    for name, mode in {"stdin": "r", "stderr": "w"}.items():
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 - for the whole program
    if sys.stdout is None:
        sys.stdout = _standard_output(os.open(os.devnull, os.O_RDONLY))
    elif sys.stdout is sys.__stdout__ and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout = _standard_output(sys.stdout.fileno(), sys.stdout.encoding, sys.stdout.line_buffering)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _standard_output(descriptor: int, encoding: str = "utf-8", line_buffering: bool = False) -> io.TextIOWrapper:
    file = io.BufferedWriter(_Output(descriptor, "w", closefd=False))
    return _Lines(file, encoding, line_buffering=line_buffering)


def flush_output() -> None:
    """Write out what was printed, so that a full disk is noticed before the interpreter's end.

    Raises:
        BrokenPipeError: the reader of a pipe has closed it.
        UserError: standard output cannot be written.
    """
    sys.stdout.flush()


def report(error: BaseException) -> int:
    """Print what ended a program as one line, and return its exit status.

    Errors of the operating system are mistakes of the user: a folder of somebody else, a full disk, a name too long.
    """
    drop_output()
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


def drop_output() -> None:
    """Write out what was printed, or drop it: the interpreter would fail with a trace if it tried again at its end."""
    try:
        flush_output()
    except (OSError, UserError):
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - until the end

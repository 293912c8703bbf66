"""The exceptions that root scripts turn into one line and an exit status."""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable

FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)  # a full disk, a limit of the file's size or of the user's space


class UserError(ValueError):
    """A mistake that the user can correct; exit status 2.

    The text is one line: what was wrong, the value, what is allowed, what to do.
    """


def did_you_mean(value: str, allowed: Iterable[str]) -> str:
    """Return `"; did you mean 'x'?"` with the allowed word nearest to `value`, or "" if none is similar."""
    near = difflib.get_close_matches(value, list(allowed), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def describe_os_error(error: OSError) -> str:
    """Return what the operating system refused, such as `photo.jpg: Permission denied`."""
    reason = error.strerror or str(error)
    if error.filename is None:  # as of all that fails while an open file or stream is written
        return f"cannot write: {reason}" if error.errno in FULL else reason
    return f"{error.filename}: {reason}"


class Diverged(RuntimeError):
    """Training reached a loss that is not a finite number; exit status 3."""

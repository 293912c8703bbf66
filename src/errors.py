"""The exceptions that root scripts turn into one line and an exit status."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UserError(ValueError):
    """A mistake that the user can correct; exit status 2.

    The text is one line: what was wrong, the value, what is allowed, what to do.
    """


def did_you_mean(value: str, allowed: Iterable[str]) -> str:
    """Return `"; did you mean 'x'?"` with the allowed word nearest to `value`, or "" if none is similar."""
    near = difflib.get_close_matches(value, list(allowed), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


class Diverged(RuntimeError):
    """Training reached a loss that is not a finite number; exit status 3."""

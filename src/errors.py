"""The one exception for a user's mistake: root scripts print it as one line and exit with status 2."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UserError(ValueError):
    """Something the user can put right. The text says what was wrong, the value, what is allowed, what to do."""


def did_you_mean(value: str, allowed: Iterable[str]) -> str:
    """`"; did you mean 'x'?"` for the allowed word nearest to `value`, or an empty string when none is near."""
    near = difflib.get_close_matches(value, list(allowed), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


class Diverged(RuntimeError):
    """Training reached a loss that is not a number; root scripts exit with status 3."""

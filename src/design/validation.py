"""Faults that pydantic finds in a file, each as one line that names the place, the value and what is expected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

EXPECTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "a text",
    "tuple_type": "a list",
    "list_type": "a list",
    "dataclass_type": "a mapping of `key: value`",
    "dict_type": "a mapping of `key: value`",
    "extra_forbidden": "no such key",
    "model_type": "a mapping of `key: value`",
}


def place(location: Sequence[int | str]) -> str:
    """Return a location in nested mappings and lists as text: ("stages", 2, "se") is `stages[2].se`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return text.removeprefix(".")


def expectation(error: ErrorDetails) -> str:
    """Return what pydantic expected instead of the value, such as `a whole number`."""
    if error["type"] == "literal_error":
        return f"one of {error['ctx']['expected'].replace(' or ', ', ')}".replace("'", "")
    return EXPECTED.get(error["type"], error["msg"].removeprefix("Input should be "))


def describe(error: ErrorDetails, content: str = "the content") -> str:
    """Return one fault as a line, such as `stages[2].kernel is '3'; expected a whole number`.

    Args:
        error: one of `ValidationError.errors()`.
        content: the name of the whole content, for a fault that has no place in it.
    """
    where = place(error["loc"]) or content
    if error["type"] == "missing":
        return f"{where} is missing"
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    if error["type"] == "json_invalid":
        return error["msg"]
    return f"{where} is {error['input']!r}; expected {expectation(error)}"

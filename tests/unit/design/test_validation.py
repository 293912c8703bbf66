"""Faults that pydantic finds, as one line."""

import pytest
from pydantic import BaseModel, Field, ValidationError

from src.design.validation import describe, place


class Row(BaseModel):
    kernel: int = Field(ge=1)
    names: list[str] = []


@pytest.mark.parametrize(
    "location, text",
    [((), ""), (("stages", 2, "se"), "stages[2].se"), ((0, "top", 1), "[0].top[1]"), (("name",), "name")],
)
def test_a_place_is_written_as_in_python(location, text):
    assert place(location) == text


@pytest.mark.parametrize(
    "content, text",
    [
        ({"kernel": 0}, "kernel is 0; expected greater than or equal to 1"),
        ({"kernel": 1, "names": ["a", 2]}, "names[1] is 2; expected a text"),
        ({"kernel": 1, "names": "a"}, "names is 'a'; expected a list"),
        ({}, "kernel is missing"),
        ([], "the content is []; expected a mapping of `key: value`"),
    ],
)
def test_a_fault_names_place_value_and_expectation(content, text):
    with pytest.raises(ValidationError) as failure:
        Row.model_validate(content)
    assert describe(failure.value.errors()[0]) == text

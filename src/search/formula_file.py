"""formula.json: a tiny formula that a study has found, with all that is needed to use it and to know it again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from src.design.architecture import Architecture
from src.design.architecture_file import from_dict, to_dict
from src.design.formula import Formula, Kernel, fit
from src.design.points import Point, check_budgets
from src.design.validation import describe
from src.errors import UserError
from src.runtime.files import write_text
from src.runtime.texts import read_json

NAME = "formula.json"
FORMAT = 1

Parameter = Annotated[float, Field(ge=0.01, le=10, allow_inf_nan=False)]  # beyond, the regression is not solvable


class FormulaFile(NamedTuple):
    """A formula, the base whose factors it gives, and the number of classes with which its costs were counted."""

    formula: Formula
    base: Architecture
    num_classes: int


class _Kernel(BaseModel):
    """The parameters of `Kernel`."""

    model_config = ConfigDict(extra="forbid")

    length: Parameter
    amplitude: Parameter
    noises: Annotated[list[Parameter], Field(min_length=1)]


class _Content(BaseModel):
    """The keys of the file that the formula needs."""

    base: dict[str, Any]
    num_classes: Annotated[int, Field(ge=1, le=1_000_000)]
    kernel: _Kernel
    points: list[Point]


def save_formula(
    path: Path,
    points: Mapping[int, Point],
    base: Architecture,
    num_classes: int,
    study: dict[str, Any],
    kernel: Kernel = Kernel(),
) -> None:
    """Write a formula.

    Args:
        path: the file.
        points: the networks that the formula is fitted on, by the numbers of their trials.
        base: the network whose factors the points are.
        num_classes: of the data, with which the points' MACs were counted.
        study: where they come from, such as command, data and seed; for people.
        kernel: of the regression.

    Raises:
        UserError: the file cannot be written.
    """
    content = {
        "format": FORMAT,
        "study": study,
        "num_classes": num_classes,
        "kernel": kernel._asdict(),
        "points": [{"trial": trial, **asdict(point)} for trial, point in points.items()],
        "base": to_dict(base),
    }
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def read_formula(path: Path) -> FormulaFile:
    """Return the formula of a file. It is fitted again on its points, which gives the same curves.

    Raises:
        UserError: the file cannot be read, is no formula, or has points at fewer than three budgets.
    """
    try:
        content = read_json(path)
    except OSError as error:
        raise UserError(f"cannot read the formula {path}: {error.strerror}") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise UserError(f"{path} is no formula; expected a formula.json that `search.py twist` has written")
    try:
        checked = _Content.model_validate(content)
    except ValidationError as failure:
        raise UserError(f"{path}: {describe(failure.errors()[0])}") from None
    check_budgets(checked.points, str(path))
    base = from_dict(checked.base, f"{path}: base")
    kernel = Kernel(checked.kernel.length, checked.kernel.amplitude, tuple(checked.kernel.noises))
    return FormulaFile(fit(checked.points, kernel), base, checked.num_classes)

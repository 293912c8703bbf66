"""Points of the tiny formula: the best resolution and depth that are known for a share of the base's MACs."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from src.design.cost import total_cost
from src.design.families import EFFICIENTNET_B0, TINYNET_COEFFICIENTS, TINYNETS
from src.errors import UserError
from src.runtime.texts import read_json, read_text

MIN_BUDGETS = 3  # different values of c that the regression needs
MIN_FACTOR, MAX_FACTOR = 0.001, 100  # numbers outside are slips, such as a resolution in pixels

Factor = Annotated[float, Field(ge=MIN_FACTOR, le=MAX_FACTOR, allow_inf_nan=False)]


@dataclass(frozen=True)
class Point:
    """A good network for its budget: `c` MACs, `r` resolution and `d` depth, each as a factor of the base's.

    `noise` is the standard deviation of ln r and ln d around the formula. None: the regression estimates it.
    """

    c: Factor
    r: Factor
    d: Factor
    noise: Factor | None = None


POINTS = TypeAdapter(list[Point])

# The noise of TinyNet-A to E is 0.3 %, because most of their coefficients are rounded to 0.005.
# B0 is the base of the formula and not one of its results: TinyNet-A is better and costs less. So B0 only keeps the
# curve near 1. Its noise of 10 % is our choice: with less, the curve jumps between A and B0, which have nearly the same
# MACs, and oscillates between all other points.
COEFFICIENT_NOISE = 0.003
BASE_NOISE = 0.1


def published_points() -> tuple[Point, ...]:
    """Return TinyNet-A to E, with c from our own count of their MACs, and EfficientNet-B0 = (1, 1, 1)."""
    base_macs = total_cost(EFFICIENTNET_B0).macs
    tinynets = (
        Point(total_cost(TINYNETS[name]).macs / base_macs, factors.resolution, factors.depth, COEFFICIENT_NOISE)
        for name, factors in TINYNET_COEFFICIENTS.items()
    )
    return (*tinynets, Point(1, 1, 1, BASE_NOISE))


def read_points(path: Path | str) -> tuple[Point, ...]:
    """Read the points of a search from a .csv file with a header, or from a .json file with a list of mappings.

    The columns or keys `c`, `r` and `d` are required and `noise` is optional. Others, such as top1, are ignored.

    Raises:
        UserError: the file cannot be read, a number is missing or out of range, or c has fewer than three values.
    """
    path = Path(path)
    if path.suffix not in (".csv", ".json"):
        raise UserError(f"{path}: a file of points ends in .csv or .json")
    try:
        rows = read_json(path) if path.suffix == ".json" else _read_csv(path)
    except OSError as error:
        raise UserError(f"cannot read the points {path}: {error.strerror}") from None
    try:
        points = POINTS.validate_python([_numbers(row) for row in rows] if isinstance(rows, list) else rows)
    except ValidationError as failure:
        raise UserError(f"{path}: {_fault(failure.errors()[0])}") from None
    check_budgets(points, str(path))
    return tuple(points)


def check_budgets(points: Sequence[Point], source: str) -> None:
    """Check that the formula can be fitted on these points of a file or a study.

    Raises:
        UserError: c has fewer than three values.
    """
    if (budgets := len({point.c for point in points})) < MIN_BUDGETS:
        raise UserError(f"{source} has points at {budgets} values of c; the formula needs at least {MIN_BUDGETS}")


def _read_csv(path: Path) -> list[dict[str, str]]:
    try:
        rows = csv.DictReader(io.StringIO(read_text(path)))
        columns = rows.fieldnames or ()
        for column in columns:
            if list(columns).count(column) > 1:
                raise UserError(f"{path} has the column {column!r} twice; remove one")
        return list(rows)
    except csv.Error as error:
        raise UserError(f"{path} is not valid CSV: {error}") from None


def _numbers(row: Any) -> Any:
    """Return the fields of `Point` that a row has. An empty cell of a CSV file is a missing number."""
    if not isinstance(row, dict):
        return row
    return {field.name: row[field.name] for field in fields(Point) if row.get(field.name) not in (None, "")}


def _fault(error: ErrorDetails) -> str:
    if error["type"] in ("list_type", "dataclass_type"):
        return "expected a list of points, each a mapping such as {c: 0.25, r: 0.82, d: 0.85}"
    number, key = error["loc"]
    where = f"point {int(number) + 1}"
    if error["type"] == "missing":
        return f"{where} has no {key}; each point needs c, r and d, as factors of the base's MACs, pixels and depth"
    return f"{where}: {key} is {error['input']!r}; expected a factor of the base's, {MIN_FACTOR:g} to {MAX_FACTOR:g}"

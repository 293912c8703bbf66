"""Points of the tiny formula: what share of the base's MACs goes best with which resolution and depth."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any, NamedTuple

from src.design.cost import total_cost
from src.design.families import EFFICIENTNET_B0, TINYNET_COEFFICIENTS, TINYNETS
from src.errors import UserError

LEAST_POINTS = 3
LEAST, MOST = 0.001, 100  # of a factor or a noise; what is beyond is a slip, such as a resolution in pixels


class Point(NamedTuple):
    """A good network at its budget: `c` MACs, `r` resolution and `d` depth, each as a factor of the base's.

    `noise` is the standard deviation of ln r and ln d around the formula; None: to be found from all points.
    """

    c: float
    r: float
    d: float
    noise: float | None = None


# TinyNet-A to E are read off their authors' formula, in coefficients of which most are rounded to 0.005: 0.3 % noise.
# B0 is where the formula starts and not one of its results (TinyNet-A is better and costs less), so that it
# only holds the curve near 1. The 10 % are our choice: with less, the curve has to leap from A to B0, which have
# nearly the same MACs, and swings between all other points.
COEFFICIENT_NOISE = 0.003
BASE_NOISE = 0.1


def published_points() -> tuple[Point, ...]:
    """TinyNet-A to E (c by our own count of their MACs) and EfficientNet-B0 = (1, 1, 1)."""
    whole = total_cost(EFFICIENTNET_B0).macs
    tinynets = (
        Point(total_cost(TINYNETS[name]).macs / whole, r, d, COEFFICIENT_NOISE)
        for name, (r, _, d) in TINYNET_COEFFICIENTS.items()
    )
    return (*tinynets, Point(1, 1, 1, BASE_NOISE))


def read_points(path: Path | str) -> tuple[Point, ...]:
    """Points of a search: a .csv file with a header, or a .json file with a list of mappings.

    Columns or keys `c`, `r`, `d` are needed, `noise` may be there, all others (such as top1) are passed over.

    Raises:
        UserError: the file cannot be read, a number is missing or out of range, or there are fewer than three budgets.
    """
    path = Path(path)
    if path.suffix not in (".csv", ".json"):
        raise UserError(f"{path}: points are read from a file that ends in .csv or .json")
    try:
        with open(path, encoding="utf-8", newline="") as file:
            rows = json.load(file) if path.suffix == ".json" else list(csv.DictReader(file))
    except OSError as error:
        raise UserError(f"cannot read the points {path}: {error.strerror}") from None
    except (ValueError, csv.Error, RecursionError) as error:
        raise UserError(f"{path} is not valid {path.suffix[1:].upper()}: {error}") from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UserError(f"{path}: expected a list of points, each a mapping such as {{c: 0.25, r: 0.82, d: 0.85}}")
    points = tuple(_point(row, f"{path}: point {number}") for number, row in enumerate(rows, 1))
    if (budgets := len({point.c for point in points})) < LEAST_POINTS:
        raise UserError(f"{path} has points at {budgets} values of c; the formula needs {LEAST_POINTS} at least")
    return points


def _point(row: dict[str, Any], where: str) -> Point:
    noise = None if row.get("noise") in (None, "") else _number(row, "noise", where)
    return Point(*(_number(row, key, where) for key in "crd"), noise)


def _number(row: dict[str, Any], key: str, where: str) -> float:
    if row.get(key) in (None, ""):
        raise UserError(f"{where} has no {key}; each needs c, r and d, as factors of the base's MACs, pixels and depth")
    try:
        number = float(row[key])
    except (TypeError, ValueError, OverflowError):
        number = 0
    if not LEAST <= number <= MOST:
        raise UserError(f"{where}: {key} is {row[key]!r}; expected a factor of the base's, {LEAST:g} to {MOST:g}")
    return number

"""Every number has two ends: both are taken, and what lies beyond is refused in one line."""

import math
from typing import get_args, get_origin

import pytest
from annotated_types import Ge, Gt, Le, Lt

from src.cli import validate
from src.config import COMMANDS, LaunchConfig, TrainConfig, keys
from src.errors import UserError

NEEDED = {  # what else the ends of an option need
    "epochs": {"warmup_epochs": 0},
    "warmup_epochs": {"epochs": 10_000},
    "nodes": {"master_addr": "a"},
    "node_rank": {"master_addr": "a", "nodes": 10_000},
}
UNITS = {"latency": "{}s"}


def numbers():
    """Give schema and name of every option that is one number."""
    seen = set()
    for schema in (*COMMANDS, LaunchConfig):
        for name, field in schema.model_fields.items():
            parts = get_args(field.annotation)
            kinds = {field.annotation} if not parts or get_origin(field.annotation) is tuple else set(parts)
            ends = tuple(map(str, field.metadata))
            if kinds & {int, float} and kinds <= {int, float, type(None)} and (name, ends) not in seen:
                seen.add((name, ends))
                yield pytest.param(schema, name, id=f"{schema.__name__}-{name}")


def ends(field):
    """Return the lowest and the highest value of an option."""
    whole = int in (field.annotation, *get_args(field.annotation))
    low = [limit.ge for limit in field.metadata if isinstance(limit, Ge)]
    low += [math.nextafter(limit.gt, math.inf) for limit in field.metadata if isinstance(limit, Gt)]
    high = [limit.le for limit in field.metadata if isinstance(limit, Le)]
    high += [math.nextafter(limit.lt, -math.inf) for limit in field.metadata if isinstance(limit, Lt)]
    assert len(low) == len(high) == 1, f"a number needs two ends, this one has {field.metadata}"
    beyond = (
        (low[0] - 1, high[0] + 1) if whole else (math.nextafter(low[0], -math.inf), math.nextafter(high[0], math.inf))
    )
    return (low[0], high[0]), beyond


@pytest.mark.parametrize("schema, name", numbers())
def test_both_ends_are_taken_and_what_lies_beyond_is_not(schema, name):
    inside, beyond = ends(schema.model_fields[name])
    key = next(key for key, field in keys(schema).items() if field == name)
    text = UNITS.get(name, "{}").format
    needed = {other: value for other, value in NEEDED.get(name, {}).items() if other in keys(schema)}
    for value in inside:
        assert getattr(validate(schema, {**needed, key: text(value)}, {}), name) == value
    for value in (*beyond, "nan", "inf", "-inf", 10**400, -(10**400)):
        with pytest.raises(UserError, match=f"here: {key} is "):
            validate(schema, {key: text(value)}, {key: "here"})


@pytest.mark.parametrize("pair", [(0.001, 0.001), (0.001, 1), (1, 1)])
def test_the_ends_of_a_crop_are_taken(pair):
    config = TrainConfig(crop_scale=pair, crop_ratio=pair)
    assert config.crop_scale == config.crop_ratio == pair


@pytest.mark.parametrize("pair", [(5e-324, 1), (0.0009, 1), (1, 1001), (0, 1), (-1, 1)])
def test_a_crop_beyond_its_ends_is_refused(pair):
    with pytest.raises(UserError, match="here: crop_ratio is "):
        validate(TrainConfig, {"crop_ratio": pair}, {"crop_ratio": "here"})

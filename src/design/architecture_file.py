"""Architectures as plain data and as YAML or JSON files, and back: what is read is checked, and faults are named."""

from __future__ import annotations

import json
from dataclasses import MISSING, asdict, fields, is_dataclass
from functools import lru_cache
from pathlib import Path
from types import UnionType
from typing import Any, Literal, NoReturn, get_args, get_origin, get_type_hints

import yaml

from src.design.architecture import Architecture
from src.errors import UserError, did_you_mean
from src.runtime.files import atomic_write

SUFFIXES = (".yaml", ".yml", ".json")
EXPECTED = {int: "a whole number", float: "a number", str: "a text"}


def to_dict(architecture: Architecture) -> dict[str, Any]:
    """Numbers, texts, lists and mappings alone, every field written out; `from_dict` gives an equal architecture."""
    return _plain(asdict(architecture))


def from_dict(content: Any, source: str = "architecture") -> Architecture:
    """The architecture that `to_dict` has written, or somebody by hand; fields with a default may be left out.

    Args:
        content: what `to_dict` gives.
        source: what faults are said to be in, such as a file's name.

    Raises:
        UserError: a key is unknown or missing, or a value is of the wrong type or cannot be built.
    """
    return _record(Architecture, content, "", source)


def load_architecture(path: Path | str) -> Architecture:
    """Read a .yaml, .yml or .json file.

    Raises:
        UserError: the file cannot be read, or as for `from_dict`.
    """
    path = Path(path)
    parse = json.loads if _is_json(path) else yaml.safe_load
    try:
        content = parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot read the architecture {path}: {error.strerror}") from None
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        kind = "JSON" if _is_json(path) else "YAML"
        raise UserError(f"{path} is not valid {kind}: {' '.join(str(error).split())}") from None
    return from_dict(content, str(path))


def save_architecture(architecture: Architecture, path: Path | str) -> None:
    """Write a .yaml, .yml or .json file; it is there whole or as it was.

    Raises:
        UserError: the suffix is another, or the folder cannot be written to.
    """
    path = Path(path)
    content = to_dict(architecture)
    if _is_json(path):
        text = json.dumps(content, indent=2) + "\n"
    else:
        content["stages"] = [_Row(stage) for stage in content["stages"]]
        text = yaml.dump(content, Dumper=_Dumper, sort_keys=False, width=float("inf"))
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


class _Row(dict):
    """A mapping that YAML writes in one line, so that the stages stand as a table."""


class _Dumper(yaml.SafeDumper):
    pass


_Dumper.add_representer(_Row, lambda dumper, row: dumper.represent_mapping("tag:yaml.org,2002:map", row, True))


def _is_json(path: Path) -> bool:
    if path.suffix not in SUFFIXES:
        raise UserError(f"{path}: an architecture is kept in a file that ends in .yaml, .yml or .json")
    return path.suffix == ".json"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@lru_cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _record(kind: type, content: Any, key: str, source: str) -> Any:
    """A dataclass from a mapping."""
    if not isinstance(content, dict):
        _refuse(source, key or "the content", content, "a mapping of `key: value`")
    prefix, known = (f"{key}." if key else ""), [field.name for field in fields(kind)]
    for name in content:
        if name not in known:
            hint = did_you_mean(str(name), known)
            raise UserError(f"{source}: unknown key {prefix}{name}{hint} (known: {', '.join(known)})")
    for field in fields(kind):
        if field.default is MISSING and field.name not in content:
            raise UserError(f"{source}: {prefix}{field.name} is missing")
    hints = _hints(kind)
    values = {name: _value(hints[name], value, prefix + name, source) for name, value in content.items()}
    try:
        return kind(**values)
    except UserError as fault:
        raise UserError(f"{source}: {fault}") from None


def _value(hint: Any, value: Any, key: str, source: str) -> Any:
    """A field's value, if it is what the field's annotation says."""
    if is_dataclass(hint):
        return _record(hint, value, key, source)
    form, parts = get_origin(hint), get_args(hint)
    if form is UnionType:  # one number, or a tuple of them
        return _value(parts[isinstance(value, list)], value, key, source)
    if form is tuple:
        if not isinstance(value, list):
            _refuse(source, key, value, "a list")
        return tuple(_value(parts[0], item, f"{key}[{index}]", source) for index, item in enumerate(value))
    if form is Literal:
        if value not in parts:
            _refuse(source, key, value, f"one of {', '.join(parts)}", did_you_mean(str(value), parts))
    elif isinstance(value, bool) or not isinstance(value, (int, float) if hint is float else hint):
        _refuse(source, key, value, EXPECTED[hint])
    return value


def _refuse(source: str, key: str, value: Any, expected: str, hint: str = "") -> NoReturn:
    raise UserError(f"{source}: {key} is {value!r}; expected {expected}{hint}")

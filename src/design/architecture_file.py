"""Architectures as plain data and as YAML or JSON files. What is read is checked, and every fault names its place."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from src.design.architecture import Architecture, Family, Stage, Style
from src.design.validation import describe, expectation, place
from src.errors import UserError, did_you_mean
from src.runtime.files import write_text
from src.runtime.texts import Dumper, read_json, read_yaml

SUFFIXES = (".yaml", ".yml", ".json")
LONGEST_LINE = 2**31 - 1  # characters; the largest number that libyaml takes
ARCHITECTURE = TypeAdapter(Architecture)
RECORDS = {"stages": Stage, "style": Style}  # the mappings inside an architecture, by the key that holds them
UNION_MEMBERS = ("float", "tuple[float, ...]")  # pydantic adds the tried type to the place of a `PerBlock`


def to_dict(architecture: Architecture) -> dict[str, Any]:
    """Return an architecture as numbers, texts, lists and mappings only.

    It has all fields but `skip`, which only stages without it have: then older versions read most networks too.
    `from_dict` returns an equal architecture.
    """
    content = _plain(asdict(architecture))
    for stage in content["stages"]:
        if stage["skip"]:
            del stage["skip"]
    return content


def from_dict(content: Any, source: str = "architecture") -> Architecture:
    """Return the architecture that `to_dict` or a person has written; fields with a default may be left out.

    `family` may be left out too, because older files and checkpoints do not have it: see `infer_family`.

    Args:
        content: a mapping as `to_dict` returns it.
        source: the name of the content in error messages, such as a file name.

    Raises:
        UserError: a key is unknown or missing, or a value has the wrong type or cannot be built.
    """
    if isinstance(content, dict) and "family" not in content:
        content = {"family": infer_family(content), **content}
    try:
        text = json.dumps(content, default=str)  # strict validation takes lists for tuples in JSON only
        return ARCHITECTURE.validate_json(text, strict=True)
    except ValidationError as failure:
        raise UserError(f"{source}: {_first_fault(failure.errors())}") from None
    except (TypeError, ValueError, RecursionError):
        raise UserError(f"{source}: expected numbers, texts, lists and mappings with text keys only") from None


def from_meta(meta: dict[str, Any]) -> Architecture | None:
    """Return the network that the `meta` of a checkpoint describes; None if it describes none.

    Early checkpoints keep the epsilon of BatchNorm in `meta` and not in the architecture.

    Raises:
        UserError: as for `from_dict`.
    """
    if "architecture" not in meta:
        return None
    architecture = from_dict(meta["architecture"], "the checkpoint's architecture")
    return architecture.with_epsilon(meta.get("bn_epsilon"))


def infer_family(content: dict[str, Any]) -> Family:
    """Return the family of an architecture that was written before files had the key `family`.

    Only GhostNets have a `head_conv`, and only S-GhostNets activate the stem but not the blocks by hard swish.
    EfficientNet and TinyNet have the same Cells; only the published EfficientNets were not built as TinyNets.
    """
    style = content.get("style")
    if content.get("head_conv"):
        activations = (style.get("stem_activation"), style.get("activation")) if isinstance(style, dict) else ()
        return "s_ghostnet" if activations == ("hard_swish", "relu") else "ghostnet"
    published = re.fullmatch(r"(tf_)?efficientnet_b(_minus_)?\d", str(content.get("name")))
    return "efficientnet" if published else "tinynet"


def load_architecture(path: Path | str) -> Architecture:
    """Read an architecture from a .yaml, .yml or .json file.

    Raises:
        UserError: the file cannot be read, or as for `from_dict`.
    """
    path = Path(path)
    read = read_json if _is_json(path) else read_yaml
    try:
        content = read(path)
    except OSError as error:
        raise UserError(f"cannot read the architecture {path}: {error.strerror}") from None
    return from_dict(content, str(path))


def save_architecture(architecture: Architecture, path: Path | str, durable: bool = True) -> None:
    """Write an architecture to a .yaml, .yml or .json file. The file is replaced as a whole or left as it was.

    For `durable`, see `atomic_write`.

    Raises:
        UserError: the path has another suffix, or the folder cannot be written to.
    """
    path = Path(path)
    content = to_dict(architecture)
    if _is_json(path):
        text = json.dumps(content, indent=2) + "\n"
    else:
        text = _table_text(content | {"stages": [_Row(stage) for stage in content["stages"]]})
    write_text(path, text, durable)


def _table_text(content: dict[str, Any]) -> str:
    """Return YAML with a line for each stage.

    libyaml writes the same text three times as fast as Python, which a study of thousands of networks notices, but no
    name that is not UTF-8.
    """
    try:
        return yaml.dump(content, Dumper=_FastRowDumper, sort_keys=False, width=LONGEST_LINE)
    except UnicodeEncodeError:
        return yaml.dump(content, Dumper=_RowDumper, sort_keys=False, width=LONGEST_LINE)


class _Row(dict):
    """A mapping that YAML writes in one line, so that the stages look like a table."""


class _RowDumper(Dumper):
    """A dumper that can write a `_Row`."""


class _FastRowDumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """The same by libyaml, or by Python where PyYAML was built without it."""

    yaml_implicit_resolvers = Dumper.yaml_implicit_resolvers


for _class in (_RowDumper, _FastRowDumper):
    _class.add_representer(_Row, lambda dumper, row: dumper.represent_mapping("tag:yaml.org,2002:map", row, True))


def _is_json(path: Path) -> bool:
    if path.suffix not in SUFFIXES:
        raise UserError(f"{path}: an architecture file ends in .yaml, .yml or .json")
    return path.suffix == ".json"


def _plain(value: Any) -> Any:
    """Return `value` with lists for tuples and whole numbers for floats such as 6.0."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _first_fault(errors: list[ErrorDetails]) -> str:
    """Return the fault to report. An unknown key comes first, because a misspelt key is also reported as missing."""
    for error in errors:
        if error["type"] == "unexpected_keyword_argument":
            return _unknown_key(error)
    error = max(errors[:2], key=lambda error: len(error["loc"])) if _is_per_block(errors[0]) else errors[0]
    location = tuple(part for part in error["loc"] if part not in UNION_MEMBERS)
    hint = ""
    if error["type"] == "literal_error":
        hint = did_you_mean(str(error["input"]), expectation(error).removeprefix("one of ").split(", "))
    return describe({**error, "loc": location}) + hint


def _is_per_block(error: ErrorDetails) -> bool:
    """Return True if the value is neither a number nor a list of numbers: pydantic then reports a fault for each."""
    return any(part in UNION_MEMBERS for part in error["loc"])


def _unknown_key(error: ErrorDetails) -> str:
    *parents, key = error["loc"]
    record = RECORDS[str(parents[0])] if parents else Architecture
    known = [field.name for field in fields(record)]
    return f"unknown key {place(error['loc'])}{did_you_mean(str(key), known)} (known: {', '.join(known)})"

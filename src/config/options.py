"""The base of all schemas: immutable groups of options, each option with its help text and range."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

CONFLICT = "conflict"  # pydantic's `type` of an error between two fields
LIMITS = ("ge", "gt", "le", "lt")  # of a number


def option(default: Any, text: str, **limits: Any) -> Any:
    """Return a field with a default, a help text and limits such as `ge=0`; `title` names its value in `--help`."""
    return Field(default, description=text, **limits)


def same_option(group: type[BaseModel], name: str) -> Any:
    """Return the field `name` of another group, for a command that needs this option of the group alone."""
    return group.model_fields[name]


def other_default(group: type[BaseModel], name: str, default: Any) -> Any:
    """Return the field `name` of another group, with its text and limits, but another default."""
    field = group.model_fields[name]
    limits = {key: getattr(limit, key) for limit in field.metadata for key in LIMITS if hasattr(limit, key)}
    return option(default, field.description or "", title=field.title, alias=field.alias, **limits)


class Options(BaseModel):
    """Base of all groups: immutable, and any key that is not declared is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    title: ClassVar[str] = "Options"  # heading of the group in `--help`
    other_keys: ClassVar[str] = ""  # what to do with keys of other commands in a YAML file; empty: they are ignored
    group_titles: ClassVar[dict[str, str]] = {}  # field name -> heading of the group that declares it, in help's order

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        inherited = {name: title for base in cls.__bases__ for name, title in getattr(base, "group_titles", {}).items()}
        cls.group_titles = {name: inherited.get(name, cls.title) for name in cls.model_fields}


def conflict(key: str, reason: str, *others: str) -> PydanticCustomError:
    """Return the error of a check that compares fields, to be raised in a `model_validator(mode="after")`.

    Such a validator sees every field whatever their order, but pydantic cannot know which field is wrong.
    `key` says so, or one of `others` if the user set that one and `key` has its default. `src/cli.py` reports its
    value and where it was set.
    """
    return PydanticCustomError(CONFLICT, "{reason}", {"keys": [key, *others], "reason": reason})


def expand_path(path: Any) -> Any:
    """Return the text of a path with the home folder for a leading `~`, as a shell does. Other values stay as they are.

    Raises:
        ValueError: the text is empty, as when a script's variable is not set, or cannot be a path.
    """
    if not isinstance(path, (str, Path)):
        return path
    expanded = os.path.expanduser(path)
    if not expanded:
        raise ValueError("expected a path; an empty text is none (is a variable not set?)")
    if "\0" in expanded:
        raise ValueError("a path cannot hold a NUL character")
    if str(expanded).split("/")[0] == "~":
        raise ValueError("the home folder is not known; set HOME, or give the whole path")
    return expanded


def output_path(path: Any) -> Any:
    """Return the path of a file to write, as `expand_path`.

    Raises:
        ValueError: as there, or it is a folder: the file would be written beside it, under the folder's name.
    """
    expanded = expand_path(path)
    if isinstance(expanded, str) and (os.path.basename(expanded) in ("", ".", "..") or os.path.isdir(expanded)):
        raise ValueError("expected the path of a file, not of a folder")
    return expanded


def check_picture(path: Path | None) -> Path | None:
    """Return `path` if matplotlib and Pillow can write a picture to it.

    Raises:
        ValueError: the suffix is not .png or .pdf.
    """
    if path is not None and path.suffix.lower() not in (".png", ".pdf"):
        raise ValueError("expected a name that ends in .png or .pdf")
    return path


EMBEDDED = ("digits", "scenes")  # values of data_path that are not folders, but data sets of this project
ClassOrder = Literal["auto", "text", "natural"]  # how class folders are numbered
Name = Annotated[str, BeforeValidator(expand_path)]  # a path, or a word that stands for something else, as `digits`
AnyPath = Annotated[Path, BeforeValidator(expand_path)]
OptionalName = Annotated[str | None, BeforeValidator(expand_path)]
OptionalPath = Annotated[Path | None, BeforeValidator(expand_path)]
OutputPath = Annotated[Path | None, BeforeValidator(output_path)]
PicturePath = Annotated[Path | None, AfterValidator(check_picture), BeforeValidator(output_path)]


def key_of(name: str, schema: type[Options]) -> str:
    """Return the public name of a field: its YAML key and flag."""
    return schema.model_fields[name].alias or name


def keys(schema: type[Options]) -> dict[str, str]:
    """Return public name -> field name for every field of a command."""
    return {key_of(name, schema): name for name in schema.model_fields}

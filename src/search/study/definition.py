"""Definition of a study: its settings, recipe and data. They stay the same from its first trial to its last."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from src.config import TrainConfig
from src.config.study import PlacementOptions, StudyOptions
from src.design.architecture import Architecture
from src.design.architecture_file import to_dict
from src.errors import UserError
from src.runtime.files import remove_leftovers, write_text
from src.runtime.texts import read_json

NAME = "study.json"
LOCK = ".lock"  # held by the process that runs the study
FORMAT = 1
PACKAGES = ("mindspore", "numpy")  # whose versions change trainings and drawn networks
OF_TRIAL = ("model", "ckpt", "run_dir", "resume", "data_path", "input_size", "seed")  # keys of a recipe that trials set


@dataclass(frozen=True)
class Data:
    """The images of a study: number of classes, and of images to train and to score with.

    The fingerprint is that of both splits, see `src/images/image_set.py`.
    """

    path: str
    classes: int
    train: int
    val: int
    fingerprint: str = ""


def describe(command: str, config: StudyOptions, recipe: TrainConfig, data: Data, base: Architecture) -> dict[str, Any]:
    """Return the content of study.json."""
    free = {*OF_TRIAL, *PlacementOptions.model_fields}
    return {
        "format": FORMAT,
        "command": command,
        "settings": config.model_dump(mode="json", by_alias=True, exclude=set(PlacementOptions.model_fields)),
        "recipe": recipe.model_dump(mode="json", by_alias=True, exclude=free),
        "data": vars(data),
        "base": to_dict(base),
        "versions": {package: _version(package) for package in PACKAGES},
    }


def check_folder(folder: Path) -> None:
    """Check that a folder is a study, or can become one.

    Raises:
        UserError: it holds other files, or is none.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"study {folder} is a file; give a new or an empty folder")
    if (folder / NAME).exists() or not folder.exists():
        return
    # A killed process may have left the lock and the temporary folder of study.json.
    if any(file.name != LOCK and not file.name.startswith(f".{NAME}-") for file in folder.iterdir()):
        raise UserError(f"study {folder} holds files, but no {NAME}; give a new or an empty folder")


def write_or_check(folder: Path, definition: dict[str, Any]) -> None:
    """Write study.json into a new study; compare it with that of a study to resume.

    Raises:
        UserError: something differs.
    """
    path = folder / NAME
    remove_leftovers(path)
    if path.exists():
        check_same(read_definition(folder), definition, folder)
    else:
        write_text(path, json.dumps(definition, indent=2, ensure_ascii=False) + "\n")


def read_definition(folder: Path) -> dict[str, Any]:
    """Return the content of study.json.

    Raises:
        UserError: it is missing, cannot be read, or was written by another version.
    """
    path = folder / NAME
    try:
        content = read_json(path)
    except OSError as error:
        raise UserError(f"{folder} is no study: cannot read {path.name} ({error.strerror})") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise UserError(f"{path} is not of format {FORMAT}; use the version of this project that wrote it")
    return content


def check_same(old: dict[str, Any], new: dict[str, Any], folder: Path) -> None:
    """Compare two definitions.

    Raises:
        UserError: naming the first setting that differs, with both values.
    """
    before, after = _flat(old), _flat(json.loads(json.dumps(new)))
    for key in {**before, **after}:
        if before.get(key) != after.get(key):
            raise UserError(
                f"study {folder} was begun with {key} {_text(before.get(key))}, which is {_text(after.get(key))} now; "
                "restore it, or give another --study"
            )


def _flat(content: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested mappings as one: settings.seed, recipe.lr, ..."""
    flat: dict[str, Any] = {}
    for key, value in content.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat


def _text(value: Any) -> str:
    return "not set" if value is None else str(value)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"

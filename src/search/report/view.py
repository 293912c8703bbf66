"""A study as its folder describes it: settings, base network, data, and the results so far."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from shlex import quote
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from src.config import BaselineConfig, CompoundConfig, GreedyConfig, TwistConfig
from src.config.options import key_of
from src.config.study import StudyOptions
from src.design.architecture import Architecture
from src.design.architecture_file import from_dict
from src.design.validation import describe
from src.errors import UserError
from src.search.study.definition import NAME, read_definition
from src.search.study.records import read_results
from src.search.study.trial import Result

SCHEMAS: dict[str, type[StudyOptions]] = {
    "twist": TwistConfig,
    "greedy": GreedyConfig,
    "compound": CompoundConfig,
    "baseline": BaselineConfig,
}


class _Data(BaseModel):
    classes: int
    train: int
    val: int


class _Recipe(BaseModel):
    epochs: int
    workers: int


class _Definition(BaseModel):
    """The entries of study.json that a report reads."""

    command: Literal["twist", "greedy", "compound", "baseline"]
    settings: dict[str, Any]
    recipe: _Recipe
    data: _Data
    base: dict[str, Any]
    versions: dict[str, str]


@dataclass(frozen=True)
class StudyView:
    """A study to report on.

    Attributes:
        folder: of the study.
        command: the command of search.py that runs it.
        config: its settings.
        base: the network that it began with.
        definition: the whole content of study.json.
        results: of the trials that have ended, by their numbers.
        has_finished: no trial is missing.
    """

    folder: Path
    command: str
    config: StudyOptions
    base: Architecture
    definition: dict[str, Any]
    results: list[Result]
    has_finished: bool = False

    @property
    def classes(self) -> int:
        """The number of classes of the data."""
        return self.definition["data"]["classes"]

    @property
    def epochs(self) -> int:
        """The epochs of each training."""
        return self.definition["recipe"]["epochs"]

    @cached_property
    def _recipe(self) -> str:
        return _nearer(self.config.recipe)

    @cached_property
    def _networks(self) -> str:
        return _nearer(self.folder / "architectures")

    def group(self, name: str) -> list[Result]:
        """Return the results of one part of the study."""
        return [result for result in self.results if result.trial.group == name]

    def training(self, result: Result) -> str:
        """Return the command that trains and scores one network as the study did."""
        flags = {
            "config": self._recipe,
            "model": f"{self._networks}/{result.number:04d}.yaml",
            "data_path": self.config.data_path,
            "seed": result.trial.seed,
            "epochs": self.epochs,
            "workers": self.definition["recipe"]["workers"],
        }
        return _command(["python", "train.py"], flags)

    def origin(self) -> dict[str, Any]:
        """Return what the accuracies of the study hold for."""
        data, settings = self.definition["data"], {"data_path": self.config.data_path, "seed": self.config.seed}
        images = {"training_images": data["train"], "validation_images": data["val"]}
        return {"command": self.command, **settings, **images, "epochs": self.epochs}

    def study_command(self) -> str:
        """Return the command that runs the study, or resumes it."""
        fields = type(self.config).model_fields
        changed = {name: getattr(self.config, name) for name, field in fields.items() if name != "study"}
        changed = {name: value for name, value in changed.items() if value != fields[name].default}
        named = {key_of(name, type(self.config)): value for name, value in changed.items()}
        return _command(["python", "search.py", self.command], named | {"study": self.folder})


def read_study(folder: Path) -> StudyView:
    """Return the study in a folder. It may be running.

    Raises:
        UserError: the folder holds no study, or one of its files cannot be used.
    """
    definition = read_definition(folder)
    source = folder / NAME
    try:
        command = _Definition.model_validate(definition).command
        config = SCHEMAS[command].model_validate(definition["settings"])
        base = from_dict(definition["base"], f"{source}: base")
        return StudyView(folder, command, config, base, definition, read_results(folder))
    except ValidationError as failure:
        raise UserError(f"{source}: {describe(failure.errors()[0])}") from None


def _nearer(path: Path | None) -> str:
    """Return a path as a user in the current folder would type it."""
    absolute = os.path.abspath(path or "")
    relative = os.path.relpath(absolute)
    return absolute if relative.startswith("..") else relative


def _command(words: list[str], flags: dict[str, Any]) -> str:
    for key, value in flags.items():
        values = value if isinstance(value, tuple) else (value,)
        if isinstance(value, bool):
            words = [*words, f"--{key}" if value else f"--no-{key}"]
        else:
            words = [*words, f"--{key}", *(_nearer(one) if isinstance(one, Path) else str(one) for one in values)]
    return " ".join(map(quote, words))

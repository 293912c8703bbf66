"""The best networks of a study as architecture files, each with the recipe that trains it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from src.design.architecture import Architecture
from src.design.architecture_file import save_architecture
from src.runtime.files import check_output
from src.runtime.texts import read_text
from src.search.training_config import is_training_config, save_training_config, training_config_path

OF_STUDY = "of the study"  # words of the header of their recipes


class Listed(NamedTuple):
    """A network of the shortlist: the name of its file without the suffix, and one sentence on what it is."""

    name: str
    architecture: Architecture
    origin: str


def save_shortlist(networks: Sequence[Listed], folder: Path, num_classes: int) -> list[Path]:
    """Write NAME.yaml and NAME_train.yaml for each network, and return the paths of the latter.

    Files of an earlier report of the running study, of networks that are not the best any more, are removed.

    Raises:
        UserError: the folder cannot be written to, or holds a file of the user where one of these belongs.
    """
    written = []
    for listed in networks:
        path = folder / f"{listed.name}.yaml"
        recipe = training_config_path(path)
        for file in (path, recipe):
            check_output(file, partial(_is_own, recipe))
        save_architecture(listed.architecture, path)
        written.append(save_training_config(listed.architecture, listed.origin, path, num_classes))
    _remove_others(folder, written)
    return written


def _is_own(recipe: Path, _: Path) -> bool:
    """Return whether the recipe beside an architecture file was written by this program, and so the file, too."""
    return is_training_config(recipe)


def _remove_others(folder: Path, kept: Sequence[Path]) -> None:
    for recipe in folder.glob("trial_[0-9]*_train.yaml"):
        if recipe not in kept and is_training_config(recipe) and OF_STUDY in read_text(recipe):
            recipe.with_name(recipe.name.replace("_train.yaml", ".yaml")).unlink(missing_ok=True)
            recipe.unlink()

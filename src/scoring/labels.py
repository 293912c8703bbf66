"""Ground truth: the class of each image, from the name of its folder or from a label file."""

from __future__ import annotations

import json
from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import BaseModel, ValidationError

from src.config import ScoreConfig
from src.errors import UserError
from src.images.class_order import in_order, numbered_as
from src.images.data_path import resolve_data_path
from src.images.folder import ImageFolder
from src.runtime.texts import printable, read_json, read_text

LAYOUT = "expected lines of `NAME LABEL`, or JSON {NAME: LABEL}"


@dataclass(frozen=True)
class GroundTruth:
    """The class index of each image. Names of images are paths below the data folder, or those of a label file."""

    source: Path  # the data folder or the label file
    labels: dict[str, int]  # class index by image name
    classes: tuple[str, ...]  # names by class index; empty if they are unknown
    num_classes: int | None  # None if it is unknown


class ModelDescription(BaseModel):
    """The entries that scoring needs from the JSON that export.py writes beside a model."""

    classes: tuple[str, ...]  # empty if the weights had no class names
    num_classes: int


def read_ground_truth(config: ScoreConfig) -> GroundTruth:
    """Read the ground truth from the data folder or the label file that the flags name.

    Raises:
        UserError: not exactly one of them is named, it cannot be read, or its classes are not those of the model.
    """
    if (config.data_path is None) == (config.label_file is None):
        raise UserError(
            "data_path or label_file: give one of them, --data_path DIR (with a folder for each class) or "
            "--label_file FILE"
        )
    description = read_description(config.description) if config.description else None
    if config.label_file is not None:
        return _from_label_file(config.label_file, description)
    return _from_folder(resolve_data_path(config.data_path), config, description)


def _from_label_file(path: Path, description: ModelDescription | None) -> GroundTruth:
    classes = description.classes if description else ()
    num_classes = description.num_classes if description else None
    labels = {name: _class_index(label, classes, path) for name, label in read_labels(path)}
    largest = max(labels, key=labels.__getitem__)
    if num_classes is not None and labels[largest] >= num_classes:
        raise UserError(f"{path}: {largest} has label {labels[largest]}, the model has {num_classes} classes")
    return GroundTruth(path, labels, classes, num_classes)


def _from_folder(root: Path, config: ScoreConfig, description: ModelDescription | None) -> GroundTruth:
    folder = in_order(ImageFolder.scan(root / "val" if (root / "val").is_dir() else root), config.class_order)
    if description and config.description:
        classes, count = description.classes, description.num_classes
        folder = numbered_as(folder, classes, count, config.description, config.class_order)
    files = (Path(str(file)).relative_to(folder.root).as_posix() for file in folder.files)
    labels = dict(zip(files, folder.labels.tolist(), strict=True))
    return GroundTruth(folder.root, labels, tuple(map(printable, folder.classes)), len(folder.classes))


def check_class_names(names: dict[int, str], truth: GroundTruth) -> None:
    """Check that the class names of results, by index, have the same indices in the ground truth.

    Names that the ground truth does not have are ignored.

    Raises:
        UserError: a class has another index, or an index is too large.
    """
    for index, name in sorted(names.items()):
        if truth.num_classes is not None and index >= truth.num_classes:
            raise UserError(f"the results have a class {index}, {truth.source} has {truth.num_classes} classes")
        if name in truth.classes and truth.classes[index] != name:
            raise UserError(
                f"the results call class {index} {name!r}, {truth.source} calls it {truth.classes[index]!r}; "
                "the classes must agree"
            )


def read_description(path: Path) -> ModelDescription:
    """Read class names and their number from the JSON that export.py writes beside a model.

    Raises:
        UserError: the file cannot be read, or does not describe a model.
    """
    try:
        return ModelDescription.model_validate(read_json(path))
    except OSError as error:
        raise UserError(f"cannot read the description {path}: {error.strerror}; export.py writes it") from None
    except ValidationError:
        raise UserError(f"{path} does not describe a model; give the JSON that export.py wrote beside it") from None


def read_labels(path: Path) -> list[tuple[str, Any]]:
    """Return pairs of image name and label from a text file with lines of `NAME LABEL`, or from a JSON object.

    A label is a class index or the name of a class.

    Raises:
        UserError: the file cannot be read, is empty, has another layout, or names an image twice.
    """
    pairs: list[tuple[str, Any]] = []
    try:
        text = read_text(path)
    except OSError as error:
        raise UserError(f"cannot read the labels {path}: {error.strerror}") from None
    try:
        if path.suffix == ".json":
            pairs = json.loads(text, object_pairs_hook=list)
        else:
            pairs = [_split(line) for line in text.split("\n") if line.strip()]
        pairs = [(_image_name(name), label) for name, label in pairs]
    except (ValueError, TypeError, RecursionError):
        raise UserError(f"{path} holds no labels; {LAYOUT}") from None
    if not pairs:
        raise UserError(f"{path} holds no labels; {LAYOUT}")
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise UserError(f"{path} names {name} twice; if folders hold equal names, give the path: FOLDER/{name}")
        seen.add(name)
    return pairs


def images_of_paths(paths: Sequence[str], truth: GroundTruth) -> list[str]:
    """Return the image of the ground truth that each path means, in order.

    The program may have read the data folder by another path, or a part of it. So the name in the ground truth is the
    longest end of the path that is one.

    Raises:
        UserError: a path is not in the ground truth, or two paths mean the same image.
    """
    return without_duplicates(paths, [_known_image(path, truth) for path in paths], truth.source)


def image_of_path(path: str, images: Container[str]) -> str | None:
    """Return the longest end of a path that is one of `images`, or nothing if none is."""
    parts = PurePosixPath(path).parts
    names = (str(PurePosixPath(*parts[start:])) for start in range(len(parts)))
    return next((name for name in names if name in images), None)


def _known_image(path: str, truth: GroundTruth) -> str:
    if (name := image_of_path(path, truth.labels)) is None:
        raise _unknown_image(path, truth)
    return name


def images_of_bin_names(names: Sequence[str], truth: GroundTruth) -> list[str]:
    """Return the image of the ground truth that each name of a .bin file means, in order.

    Names lack the suffix of the image. Of three naming schemes, the one with the fewest unknown names is used: the
    relative path without suffix, the file name without suffix, or the file name up to its first dot. The last two are
    those of older programs, which write all files into one folder.

    Raises:
        UserError: a name is not in the ground truth, may mean several images, or means the same image as another name.
    """
    images = [PurePosixPath(image) for image in truth.labels]
    candidates = min(
        (
            _images_by_name([(str(image.with_suffix("")), str(image), str(image)) for image in images]),
            _images_by_name([(image.stem, image.name, str(image)) for image in images]),
            _images_by_name([(image.name.split(".")[0], image.name, str(image)) for image in images]),
        ),
        key=lambda scheme: sum(name not in scheme for name in names),
    )
    if unknown := next((name for name in names if name not in candidates), None):
        raise _unknown_image(unknown, truth)
    certain = {candidates[name][0] for name in names if len(candidates[name]) == 1}
    found = []
    for name in names:
        possible = candidates[name]
        if len(possible) > 1:
            possible = [image for image in possible if image not in certain]
        if len(possible) != 1:
            raise UserError(
                f"result {name} may be the result of {' or '.join(candidates[name][:2])}; use --format json"
            )
        found += possible
    return without_duplicates(names, found, truth.source)


def _images_by_name(names: Sequence[tuple[str, str, str]]) -> dict[str, list[str]]:
    """Return the images that a .bin file may belong to, by the name of the file.

    Args:
        names: short name, full name and image. The program uses the full name for images that share a short name.
    """
    by_short: dict[str, list[str]] = {}
    for short, _, image in names:
        by_short.setdefault(short, []).append(image)
    by_name = {short: list(images) for short, images in by_short.items()}
    for short, full, image in names:
        if len(by_short[short]) > 1:
            by_name.setdefault(full, []).append(image)
    return by_name


def without_duplicates(results: Sequence[str], images: list[str], source: Path) -> list[str]:
    """Return the image of each result.

    Raises:
        UserError: two results are for the same image of `source`.
    """
    first: dict[str, str] = {}
    for result, image in zip(results, images, strict=True):
        if image in first:
            raise UserError(f"two results for {image} of {source}: {first[image]} and {result}; remove one of them")
        first[image] = result
    return images


def _unknown_image(image: str, truth: GroundTruth) -> UserError:
    return UserError(f"a result is for {image}, which is not in {truth.source}; name the images that were run")


def _image_name(text: str) -> str:
    path = PurePosixPath(text)
    if not path.name:
        raise ValueError(f"{text!r} is not the name of a file")
    return path.as_posix()


def _split(line: str) -> tuple[str, str]:
    name, label = line.strip().rsplit("\t" if "\t" in line.strip() else None, 1)
    return name, label


def _class_index(label: Any, classes: tuple[str, ...], path: Path) -> int:
    if isinstance(label, str) and label in classes:
        return classes.index(label)
    index = int(label) if isinstance(label, str) and label.isdecimal() else label
    if type(index) is int and index >= 0:  # isinstance would accept True
        return index
    known = f"classes are {', '.join(classes[:3])}, ..." if classes else "names need --description, the model's JSON"
    raise UserError(f"{path}: {label!r} is neither a class index nor the name of a class; {known}")

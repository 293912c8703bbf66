"""Which class each image truly shows: the name of its folder, or what a label file says."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from src.config import ScoreConfig
from src.errors import UserError
from src.images.data_path import resolve_data_path
from src.images.folder import ImageFolder


@dataclass(frozen=True)
class Truth:
    """`labels[NAME]` is a class index; NAME is a path below the data folder, or what the label file says.

    `classes` are names by index, where they are known, and `count` is the number of classes, where it is.
    """

    source: Path
    labels: dict[str, int]
    classes: tuple[str, ...]
    count: int | None


def read_truth(config: ScoreConfig) -> Truth:
    """The truth that the flags name.

    Raises:
        UserError: none or two named, unreadable, or with other classes than the model's description.
    """
    if (config.data_path is None) == (config.label_file is None):
        raise UserError("the truth must be named once: --data_path DIR (a folder a class) or --label_file FILE")
    names, count = read_description(config.description) if config.description else ((), None)
    if config.label_file is not None:
        labels = {name: _index(label, names, config.label_file) for name, label in read_labels(config.label_file)}
        largest = max(labels, key=labels.__getitem__)
        if count is not None and labels[largest] >= count:
            raise UserError(
                f"{config.label_file}: {largest} has label {labels[largest]}, the model has {count} classes"
            )
        return Truth(config.label_file, labels, names, count)
    root = resolve_data_path(config.data_path)
    folder = ImageFolder.scan(root / "val" if (root / "val").is_dir() else root)
    if names and names != folder.classes:
        strange = sorted(set(folder.classes) ^ set(names))[:3]
        raise UserError(f"{folder.root} has other classes than {config.description}, such as {', '.join(strange)}")
    if count not in (None, len(folder.classes)):
        raise UserError(f"{folder.root} holds {len(folder.classes)} classes, {config.description} says {count}")
    files = (Path(file).relative_to(folder.root).as_posix() for file in folder.files)
    labels = dict(zip(files, folder.labels.tolist(), strict=True))
    return Truth(folder.root, labels, folder.classes, len(folder.classes))


def read_description(path: Path) -> tuple[tuple[str, ...], int]:
    """Class names (none where the weights had none) and their number, from the JSON that export.py writes.

    Raises:
        UserError: it cannot be read, or is something else.
    """
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
        return tuple(description["classes"]), int(description["num_classes"])
    except OSError as error:
        raise UserError(f"cannot read the description {path}: {error.strerror}; export.py writes it") from None
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{path} does not describe a model; take the JSON that export.py wrote beside it") from None


def read_labels(path: Path) -> list[tuple[str, Any]]:
    """Pairs of name and label (an index or a class name) from lines `NAME LABEL`, or from a JSON object.

    Raises:
        UserError: it cannot be read, is empty, has another layout, or names an image twice.
    """
    pairs: list[tuple[str, Any]] = []
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            pairs = json.loads(text, object_pairs_hook=list)
        else:
            pairs = [_split(line) for line in text.splitlines() if line.strip()]
        pairs = [(PurePosixPath(name).as_posix(), label) for name, label in pairs]
    except OSError as error:
        raise UserError(f"cannot read the labels {path}: {error.strerror}") from None
    except (ValueError, TypeError):
        raise UserError(f"{path} holds no labels; expected lines of `NAME LABEL`, or JSON {{NAME: LABEL}}") from None
    if not pairs:
        raise UserError(f"{path} holds no labels; expected lines of `NAME LABEL`, or JSON {{NAME: LABEL}}")
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise UserError(f"{path} names {name} twice; where folders hold equal names, give the path: FOLDER/{name}")
        seen.add(name)
    return pairs


def match(images: Sequence[str], truth: Truth, cut: bool) -> list[str]:
    """The name in `truth.labels` of each image (a path, or with `cut` the name of a .bin file), in order.

    Raises:
        UserError: an image that the truth does not know, that may be two of its images, or that comes twice.
    """
    found = _match_cut(images, truth) if cut else [_match_path(image, truth) for image in images]
    first: dict[str, str] = {}
    for image, name in zip(images, found, strict=True):
        if name in first:
            raise UserError(f"two results for {name} of {truth.source}: {first[name]} and {image}; remove one of them")
        first[name] = image
    return found


def _match_path(image: str, truth: Truth) -> str:
    parts = PurePosixPath(image).parts
    for start in range(len(parts)):  # the program may have been given the folder by another path, or one of its parts
        if (name := str(PurePosixPath(*parts[start:]))) in truth.labels:
            return name
    raise _stranger(image, truth)


def _match_cut(names: Sequence[str], truth: Truth) -> list[str]:
    """By the rule of naming that explains all files best: ours, or a flat one, cut at the last or the first dot."""
    tables = [
        _table(truth.labels, lambda path: str(path.with_suffix("")), str),
        _table(truth.labels, lambda path: path.stem, lambda path: path.name),
        _table(truth.labels, lambda path: path.name.split(".")[0], lambda path: path.name),
    ]
    table = min(tables, key=lambda table: sum(name not in table for name in names))
    if strange := next((name for name in names if name not in table), None):
        raise _stranger(strange, truth)
    certain = {table[name][0] for name in names if len(table[name]) == 1}
    found = []
    for name in names:
        possible = table[name] if len(table[name]) == 1 else [it for it in table[name] if it not in certain]
        if len(possible) != 1:
            raise UserError(f"result {name} may be that of {' or '.join(table[name][:2])}; use --format json")
        found += possible
    return found


def _table(
    images: Iterable[str], short: Callable[[PurePosixPath], str], full: Callable[[PurePosixPath], str]
) -> dict[str, list[str]]:
    """What a .bin file may be called: the images it may be of. Those that share a short name may go by the full one."""
    table: dict[str, list[str]] = defaultdict(list)
    for image in images:
        table[short(PurePosixPath(image))].append(image)
    for image in [image for sharing in table.values() if len(sharing) > 1 for image in sharing]:
        table[full(PurePosixPath(image))].append(image)
    return dict(table)


def _stranger(image: str, truth: Truth) -> UserError:
    return UserError(
        f"there is a result for {image}, which {truth.source} does not know; name the images that were run"
    )


def _split(line: str) -> tuple[str, str]:
    name, label = line.strip().rsplit("\t" if "\t" in line.strip() else None, 1)
    return name, label


def _index(label: Any, classes: tuple[str, ...], path: Path) -> int:
    if isinstance(label, str) and label in classes:
        return classes.index(label)
    index = int(label) if isinstance(label, str) and label.isdecimal() else label
    if type(index) is int and index >= 0:  # True is an int too
        return index
    known = f"they are {', '.join(classes[:3])}, ..." if classes else "names need --description, the model's JSON"
    raise UserError(f"{path}: {label!r} is neither a class index nor the name of a class; {known}")

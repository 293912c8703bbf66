"""search.py imagenet100: the part of ImageNet on which searches train, as a folder of links."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from src.config.imagenet100 import Imagenet100Config
from src.errors import UserError, did_you_mean
from src.images.check import check_classes
from src.images.folder import LAYOUT, ImageFolder
from src.runtime.files import atomic_folder
from src.runtime.texts import read_text

CLASS_LIST = "classes.txt"


def make_imagenet100(config: Imagenet100Config) -> None:
    """Link 100 random classes of ImageNet, with 500 random training images each and all validation images.

    python search.py imagenet100 --data_path IMAGENET --output runs/imagenet100
    python search.py imagenet100 --data_path IMAGENET --output runs/imagenet100 --class_list classes.txt

    TinyNet was searched on such a part: 50,000 images to train, 5,000 to validate. Its classes are not known to us.
    Nothing is copied: the links need the images where they are. OUTPUT/classes.txt lists the classes.

    Raises:
        UserError: a path is missing, a class has too few images, or the output is not a new or empty folder.
    """
    if config.data_path is None:
        raise UserError(f"data_path is missing: name ImageNet with --data_path DIR; {LAYOUT}")
    if config.output is None:
        raise UserError("output is missing: name a new folder with --output DIR")
    _check_is_new(config.output)
    train, val = (ImageFolder.scan(config.data_path / split) for split in ("train", "val"))
    check_classes(train, val)
    rng = np.random.RandomState(config.seed)
    classes = _classes(config, train, rng)
    chosen = {"train": _draw(train, classes, config.images, rng), "val": _files(val, classes)}
    try:
        with atomic_folder(config.output) as folder:
            for split, images in chosen.items():
                _link(images, config.data_path / split, folder / split)
            (folder / CLASS_LIST).write_text("\n".join(classes) + "\n", encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise UserError(f"cannot write to output {config.output}: {error.strerror}") from None
    counts = " + ".join(f"{sum(map(len, images.values())):,}" for images in chosen.values())
    print(f"{config.output}: {counts} images in {len(classes)} classes; train with --data_path {config.output}")


def _check_is_new(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"output {folder} exists and is not an empty folder; give a new one")


def _classes(config: Imagenet100Config, train: ImageFolder, rng: np.random.RandomState) -> list[str]:
    """Return the names of the chosen classes, sorted."""
    if config.class_list is None:
        if config.classes > len(train.classes):
            raise UserError(f"classes is {config.classes}, but {train.root} has {len(train.classes)}; lower --classes")
        return sorted(train.classes[index] for index in rng.permutation(len(train.classes))[: config.classes])
    try:
        names = sorted({line.strip() for line in read_text(config.class_list).splitlines()} - {""})
    except OSError as error:
        raise UserError(f"cannot read class_list {config.class_list}: {error.strerror}") from None
    if not names:
        raise UserError(f"class_list {config.class_list} names no class; expected one name a line")
    for name in names:
        if name not in train.classes:
            raise UserError(f"class_list: {train.root} has no class {name}{did_you_mean(name, train.classes)}")
    return names


def _files(images: ImageFolder, classes: Sequence[str]) -> dict[str, list[str]]:
    """Return the files of each class."""
    ends = np.searchsorted(images.labels, range(len(images.classes) + 1))
    numbers = {name: index for index, name in enumerate(images.classes)}
    return {name: list(images.files[ends[numbers[name]] : ends[numbers[name] + 1]]) for name in classes}


def _draw(train: ImageFolder, classes: Sequence[str], count: int, rng: np.random.RandomState) -> dict[str, list[str]]:
    """Return `count` random files of each class.

    Raises:
        UserError: a class has fewer.
    """
    drawn = {}
    for name, files in _files(train, classes).items():
        if len(files) < count:
            found = f"class {name} of {train.root} has {len(files)} images"
            raise UserError(f"{found}, but images is {count}; lower --images")
        drawn[name] = [files[index] for index in sorted(rng.permutation(len(files))[:count])]
    return drawn


def _link(images: dict[str, list[str]], source: Path, folder: Path) -> None:
    """Link the images of each class, which are somewhere below `source`, at the same places below `folder`."""
    for file in chain.from_iterable(images.values()):
        link = folder / Path(file).relative_to(source)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(Path(file).absolute())

"""Checks of a data set: equal classes in both splits, and no file that training would fail on."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from src.config import CheckConfig
from src.errors import UserError
from src.images.data_path import open_split, resolve_data_path
from src.images.faults import Check, bad_files_error, name_first
from src.images.image_set import ImageSet
from src.runtime.texts import printable
from src.runtime.workers import worker_count

logger = logging.getLogger(__name__)


def check_dataset(config: CheckConfig) -> None:
    """Print the size of a data set, or every bad file.

    Raises:
        UserError: the splits have different classes, or files are bad.
    """
    root = resolve_data_path(config.data_path)
    train, val = open_split(root, "train"), open_split(root, "val")
    check_classes(train, val)
    workers = worker_count(config.workers)
    faults = [fault for split in (train, val) for fault in split.faults(config.check_data, workers)]
    for fault in faults:
        print(printable(fault))
    if faults:
        raise UserError(f"{root}: {len(faults)} bad files, listed above; remove or replace them")
    result = "not checked" if config.check_data == "off" else "none bad"
    print(f"{root}: {len(train):,} + {len(val):,} images in {len(train.classes)} classes, {result}")


def check_classes(train: ImageSet, val: ImageSet) -> None:
    """Compare the classes of both splits.

    Raises:
        UserError: one split has classes that the other does not have.
    """
    for split, other in ((train, val), (val, train)):
        missing = sorted(set(split.classes) - set(other.classes))
        if missing:
            raise UserError(
                f"{other.root} has no class folder {name_first(missing)} that {split.root} has; the classes must agree"
            )
    if len(train.classes) == 1:
        logger.warning("%s has a single class, so every network is always right", train.root)


def check_images(splits: Iterable[ImageSet], check: Check = "auto", workers: int = 1) -> None:
    """Look for files that training would fail on.

    Raises:
        UserError: there are bad files; the error names the first few.
    """
    if faults := [fault for split in splits for fault in split.faults(check, workers)]:
        raise bad_files_error(faults)

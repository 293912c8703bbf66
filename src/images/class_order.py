"""The number of each class: folders have names, weights may know their classes by number alone.

torchvision and this project sort the folders as text: 0, 1, 10, 2. timm sorts numbers in names by value: 0, 1, 2, 10.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np

from src.config.options import ClassOrder
from src.errors import UserError
from src.images.image_set import ImageSet
from src.runtime.texts import printable

logger = logging.getLogger(__name__)

Images = TypeVar("Images", bound=ImageSet)  # a dataclass
SHOWN = 5  # classes of an order in a warning


def in_order(images: Images, order: ClassOrder) -> Images:
    """Return the images with their classes numbered in an order of their names; `auto` leaves them as they are."""
    if order == "auto":
        return images
    return renumbered(images, sorted(images.classes, key=_natural_key if order == "natural" else None))


def renumbered(images: Images, classes: Sequence[str]) -> Images:
    """Return the images with the same classes in another order."""
    number = {printable(name): index for index, name in enumerate(classes)}
    numbers = np.array([number[printable(name)] for name in images.classes], np.int32)
    labels = numbers[images.labels]
    return replace(cast(Any, images), classes=tuple(classes), labels=labels)


def have_same_names(some: Sequence[str], others: Sequence[str]) -> bool:
    """Return whether two lists name the same classes, in whatever order."""
    return sorted(map(printable, some)) == sorted(map(printable, others))


def numbered_as(images: Images, names: Sequence[str], count: int, source: Path, order: ClassOrder = "auto") -> Images:
    """Return the images with the numbers that weights have for their classes.

    Args:
        images: a data set, numbered in `order`.
        names: classes of the weights by number; empty if they are not known.
        count: number of classes of the weights.
        source: the file of the weights or their description, for error messages.
        order: what the user asked for. With `auto`, a warning says if the numbers are a guess.

    Raises:
        UserError: the classes differ.
    """
    if names and not have_same_names(names, images.classes):
        examples = sorted(set(images.classes) ^ set(names))[:3]
        raise UserError(f"{images.root} has other classes than {source}, such as {', '.join(examples)}")
    if count != len(images.classes):
        raise UserError(f"{images.root} holds {len(images.classes)} classes, {source} has {count}")
    if names:
        return renumbered(images, names)
    if order == "auto":
        warn_of_guess(images, source)
    return images


def warn_of_guess(images: ImageSet, source: Path) -> None:
    """Warn that the classes of `images` may have other numbers in the weights of `source`, which do not name them."""
    text, natural = sorted(images.classes), sorted(images.classes, key=_natural_key)
    if text != natural:
        logger.warning(
            "%s names no classes, so folders are numbered as they are sorted here: %s; timm sorts them by value: %s; "
            "choose with --class_order text or natural",
            source,
            _first(images.classes),
            _first(natural),
        )


def _first(names: Sequence[str]) -> str:
    return ", ".join(map(printable, names[:SHOWN])) + (", ..." if len(names) > SHOWN else "")


def _natural_key(name: str) -> tuple[list[str | int], str]:
    """Return timm's key, which compares digits by value and letters without case; equal names are compared as text."""
    parts = re.split(r"(\d+)", name.lower())
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], name

"""Class names: of weights, of data, of a file; and whether they agree."""

from __future__ import annotations

from pathlib import Path

from src.config.options import ClassOrder
from src.errors import UserError
from src.images.class_order import have_same_names, numbered_as
from src.images.image_set import ImageSet
from src.models import LoadedModel
from src.runtime.texts import read_lines


def numbered_as_trained(model: LoadedModel, images: ImageSet, order: ClassOrder) -> ImageSet:
    """Return the images with the numbers that the weights have for their classes; see `numbered_as`.

    Raises:
        UserError: the classes differ.
    """
    return numbered_as(images, model.classes, model.network.num_classes, model.weights.path, order)


def class_names(model: LoadedModel, labels: Path | None) -> list[str]:
    """Return the name of each class: from the file `labels`, else from the checkpoint, else its number.

    Raises:
        UserError: the file cannot be read, or has another number of lines than there are classes.
    """
    count = model.network.num_classes
    if labels is None:
        return list(model.classes) or [str(index) for index in range(count)]
    try:
        names = read_lines(labels)
    except OSError as error:
        raise UserError(f"cannot read the labels {labels}: {error.strerror}") from None
    if len(names) != count:
        raise UserError(f"{labels} names {len(names)} classes, the weights have {count}; expected one name a line")
    if names != list(model.classes) and have_same_names(names, model.classes):
        raise UserError(f"{labels} names the classes of the weights in another order; leave --labels out")
    return names

"""Class names: of weights, of data, of a file; and whether they agree."""

from __future__ import annotations

from pathlib import Path

from src.errors import UserError
from src.images.image_set import ImageSet
from src.models import LoadedModel


def check_same_classes(model: LoadedModel, images: ImageSet) -> None:
    """Compare the classes of data and weights, by name if the weights have names, else by number.

    Raises:
        UserError: they differ.
    """
    if model.classes and model.classes != images.classes:
        examples = sorted(set(images.classes) ^ set(model.classes))[:3]
        raise UserError(
            f"{images.root} has other classes than {model.weights.path} was trained on, such as {', '.join(examples)}"
        )
    if model.network.num_classes != len(images.classes):
        raise UserError(
            f"{images.root} holds {len(images.classes)} classes, {model.weights.path} has {model.network.num_classes}"
        )


def class_names(model: LoadedModel, labels: Path | None) -> list[str]:
    """Return the name of each class: from the file `labels`, else from the checkpoint, else its number.

    Raises:
        UserError: the file cannot be read, or has another number of lines than there are classes.
    """
    count = model.network.num_classes
    if labels is None:
        return list(model.classes) or [str(index) for index in range(count)]
    try:
        names = labels.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read the labels {labels}: {getattr(error, 'strerror', None) or 'not UTF-8'}") from None
    if len(names) != count:
        raise UserError(f"{labels} names {len(names)} classes, the weights have {count}; expected one name a line")
    return names

"""The confusion matrix of an evaluation, as numbers and as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from src.errors import UserError
from src.runtime.figures import check_picture_path, fitted, new_figure, write_figure

FLAG = "--confusion"
MOST_CLASSES = 100  # of a picture with readable names
MOST_COUNTED = 25  # classes of a picture with numbers in its cells
CELL, CELL_COUNTED = 0.17, 0.36  # inches, without and with numbers
WIDEST_NAME = 1.9  # inches; wider names lose their middle
MARGIN = 3.2  # inches for names and the scale
SMALLEST = 2.5  # inches of the matrix
CONTRAST = 0.5  # exponent of the color scale: a share of 1 % is visible


def check_confusion(classes: int, path: Path) -> None:
    """Check before long work that the picture can be drawn.

    Raises:
        UserError: there are too many classes, matplotlib is missing, or `path` is a file of the user.
    """
    if classes > MOST_CLASSES:
        raise UserError(
            f"confusion: the data has {classes} classes, a picture shows at most {MOST_CLASSES}; take --results, "
            "which has the classes of each image"
        )
    check_picture_path(path, FLAG)


def confusion_matrix(labels: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Return how many images of each class (row) were taken for each class (column): int (classes, classes)."""
    return np.bincount(labels * classes + predicted, minlength=classes**2).reshape(classes, classes)


def numbered(names: Sequence[str]) -> list[str]:
    """Return class names with their numbers, which tell names apart that look alike. Numbers as names stay alone."""
    numbers = list(map(str, range(len(names))))
    return numbers if list(names) == numbers else [f"{number}  {name}" for number, name in zip(numbers, names)]


def draw_confusion(matrix: np.ndarray, names: Sequence[str], path: Path) -> None:
    """Draw a confusion matrix; colors are shares of a class's images, numbers count them.

    Raises:
        UserError: as `check_confusion`, or the file cannot be written.
    """
    classes = len(names)
    counted = classes <= MOST_COUNTED
    side = max(SMALLEST, classes * (CELL_COUNTED if counted else CELL))
    figure = new_figure(side + MARGIN, side + MARGIN - 0.6, FLAG)
    from matplotlib.colors import PowerNorm

    axes = figure.subplots()
    shares = matrix / np.maximum(1, matrix.sum(1, keepdims=True))
    colors = axes.imshow(shares, cmap="Blues", norm=PowerNorm(CONTRAST, 0, 1))
    size = 9 if counted else 7
    labels = fitted(figure, numbered(names), WIDEST_NAME, size)
    axes.set_xticks(range(classes), labels, rotation=90, fontsize=size)
    axes.set_yticks(range(classes), labels, fontsize=size)
    right, total = int(matrix.trace()), int(matrix.sum())
    axes.set(xlabel="predicted class", ylabel="true class", title=f"{right:,} of {total:,} images right")
    figure.colorbar(colors, ax=axes, label="share of the images of a true class", shrink=0.8, aspect=40)
    for row, column in np.argwhere(matrix) if counted else ():
        color = "white" if shares[row, column] ** CONTRAST > 0.5 else "black"
        axes.text(column, row, matrix[row, column], ha="center", va="center", color=color, fontsize=8)
    write_figure(figure, path, dpi=110)

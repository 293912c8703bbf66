"""A picture of an evaluation: precision over recall, and the images with the most errors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from src.detection.boxes import overlaps
from src.detection.coco import CocoSet, Objects
from src.detection.coco_scores import CocoScores
from src.detection.drawing import draw_box, show
from src.detection.postprocess import Detections
from src.images.decoding import read_rgb
from src.runtime.figures import new_figure, write_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FLAG = "--plot"
SURE = 0.5  # score of the detections that are shown and counted as errors
SAME = 0.5  # IoU of a detection and its object
WORST, COLUMNS = 8, 4  # images
COLORS = {"missed": "tab:orange", "found": "tab:green", "false": "tab:red"}


class Errors(NamedTuple):
    """The errors of an image: which objects were missed, bool (m,), and which detections are false, bool (n,)."""

    missed: np.ndarray
    false: np.ndarray

    @property
    def sum(self) -> int:
        """Number of all errors."""
        return int(self.missed.sum() + self.false.sum())


def find_errors(objects: Objects, found: Detections) -> Errors:
    """Return the errors among the detections of a score of at least 0.5, at an IoU of 0.5.

    By falling score, each detection takes the free object of its class that it overlaps most. Crowds are no objects,
    and a detection that overlaps one is no error.
    """
    shared = overlaps(found.boxes.astype(np.float64), objects.boxes)
    shared[found.classes[:, None] != objects.classes] = 0
    free, false = ~objects.crowd, found.scores >= SURE
    for index in np.flatnonzero(false):
        candidates = np.where(free, shared[index], 0)
        if candidates.size and candidates.max() >= SAME:
            free[candidates.argmax()] = False
            false[index] = False
        elif (shared[index] * objects.crowd).any():
            false[index] = False
    return Errors(free, false)


def draw_evaluation(scores: CocoScores, images: CocoSet, found: list[Detections], path: Path) -> None:
    """Draw the curves of precision, and up to eight images with the most errors.

    Raises:
        UserError: matplotlib is not installed, the file cannot be written, or an image cannot be read.
    """
    errors = [find_errors(objects, each) for objects, each in zip(images.objects, found, strict=True)]
    order = sorted(range(len(images)), key=lambda index: -errors[index].sum)[:WORST]
    worst = [index for index in order if errors[index].sum]
    rows = -(-len(worst) // COLUMNS)
    figure = new_figure(3.2 * COLUMNS, 3.4 + 3.4 * rows, FLAG)
    grid = figure.add_gridspec(1 + rows, COLUMNS)
    _draw_curves(figure.add_subplot(grid[0, :]), scores)
    for place, index in enumerate(worst):
        axes = figure.add_subplot(grid[1 + place // COLUMNS, place % COLUMNS])
        _draw_image(axes, images, index, found[index], errors[index])
    write_figure(figure, path, dpi=100)


def _draw_curves(axes: Axes, scores: CocoScores) -> None:
    for name, precision in scores.curves.items():
        axes.plot(range(len(precision)), precision, label=f"{name}: {np.mean(precision):.1f} %")
    axes.set(xlabel="recall (%)", ylabel="precision (%)", xlim=(0, 100), ylim=(0, 101))
    axes.set_title(f"{scores.images:,} images, AP {scores.numbers['ap']:.2f} %")
    axes.grid(alpha=0.3)
    if scores.curves:
        axes.legend()


def _draw_image(axes: Axes, images: CocoSet, index: int, found: Detections, errors: Errors) -> None:
    """Draw missed objects, and the detections of a score of at least 0.5 as found or false."""
    show(axes, read_rgb(images.path(index)))
    objects, names = images.objects[index], images.names
    for box, label, missed in zip(objects.boxes, objects.classes, errors.missed):
        if missed:
            draw_box(axes, box, f"{names[label - 1]} missed", COLORS["missed"])
    for box, score, label, false in zip(found.boxes, found.scores, found.classes, errors.false):
        if score >= SURE:
            draw_box(axes, box, f"{names[label - 1]} {score:.0%}", COLORS["false" if false else "found"])
    axes.set_title(f"id {images.rows[index]['id']}: {errors.sum} errors", fontsize=9)

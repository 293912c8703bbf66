"""Boxes with names on pictures: on the axes of a figure, on copies of images, and on a sheet of several."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from src.images import sheet
from src.images.decoding import read_rgb
from src.runtime.figures import literal, new_figure, write_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from PIL import Image

DRAW_FLAG = "--draw"
DPI = 100
LETTERS = 0.02  # height of letters, as a share of the longer side of a copy
SMALLEST_LETTERS = 10  # pixels
POINTS = 72  # an inch
MOST_IMAGES, MOST_COLUMNS = 16, 4  # of a sheet
PANEL = (3.2, 3.3)  # inches


def show(axes: Axes, image: Image.Image) -> None:
    """Show an image, so that the axes count its pixels from the upper left corner, as boxes do."""
    axes.imshow(image, extent=(0, image.width, image.height, 0), interpolation="nearest")
    axes.axis("off")


def draw_box(axes: Axes, box: Iterable[float], text: str, color: str, size: float = 6) -> None:
    """Draw the box x1, y1, x2, y2 with a text of `size` points at its upper left corner, within the image."""
    from matplotlib.patches import Rectangle

    from src.detection.box_label import BoxLabel  # imported late, because matplotlib is an extra

    x1, y1, x2, y2 = box
    axes.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, edgecolor=color, linewidth=size / 4))
    axes.add_artist(BoxLabel((x1, y1), literal(text), color, size))


def draw_copies(results: Sequence[dict[str, Any]], paths: Sequence[Path], least: float) -> None:
    """Write a copy of each image with its objects of a score of at least `least`, pixel by pixel as large.

    Raises:
        UserError: matplotlib is not installed, or a file cannot be written.
    """
    for result, path in zip(results, paths, strict=True):
        image = read_rgb(result["image"])
        # A hundredth of a pixel more, because matplotlib rounds down what division has made a little too small.
        figure = new_figure((image.width + 0.01) / DPI, (image.height + 0.01) / DPI, DRAW_FLAG)
        figure.set_layout_engine("none")
        axes = figure.add_axes((0, 0, 1, 1))
        letters = max(SMALLEST_LETTERS, LETTERS * max(image.size))
        _draw_objects(axes, image, result["objects"], least, letters * POINTS / DPI)
        axes.set_aspect("auto")
        write_figure(figure, path, dpi=DPI)


def draw_sheet(results: Sequence[dict[str, Any]], path: Path, least: float) -> None:
    """Draw up to 16 images, evenly picked, with their objects of a score of at least `least`.

    Raises:
        UserError: matplotlib is not installed, or the file cannot be written.
    """

    def draw(axes: Axes, result: dict[str, Any]) -> None:
        _draw_objects(axes, read_rgb(result["image"]), result["objects"], least, size=7)
        axes.set_title(literal(Path(result["image"]).name), fontsize=7)

    sheet.draw_sheet(results, draw, path, most=MOST_IMAGES, columns=MOST_COLUMNS, panel=PANEL)


def copy_paths(files: Iterable[str], folder: Path) -> list[Path]:
    """Return where the copies of images are written: FOLDER/NAME.png, with a number if a name is taken."""
    names: dict[str, None] = {}  # in the order of the files
    for file in files:
        name, number = Path(file).stem, 1
        while name in names:
            number += 1
            name = f"{Path(file).stem}-{number}"
        names[name] = None
    return [folder / f"{name}.png" for name in names]


def _draw_objects(axes: Axes, image: Image.Image, objects: Iterable[dict[str, Any]], least: float, size: float) -> None:
    show(axes, image)
    for found in reversed([each for each in objects if each["score"] >= least]):  # so that the best one lies on top
        x, y, width, height = found["bbox"]
        text, color = f"{found['name']} {found['score']:.0%}", f"C{found['class'] % 10}"
        draw_box(axes, np.array([x, y, x + width, y + height]), text, color, size)

"""Draw images with their predicted classes on one sheet."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np

from src.images.decoding import read_rgb
from src.runtime.figures import literal, new_figure, write_figure

logger = logging.getLogger(__name__)

FLAG = "--sheet"
MOST_IMAGES, MOST_COLUMNS = 32, 8


def draw_sheet(results: list[dict[str, Any]], classes: list[str], path: Path) -> None:
    """Draw up to 32 images, evenly picked from `results`, with the best class and its probability.

    If the folder of an image is named like a class, the title is green for a right prediction and red for a wrong one.

    Raises:
        UserError: matplotlib is not installed, or the file cannot be written.
    """
    picked = [results[i] for i in np.unique(np.linspace(0, len(results) - 1, MOST_IMAGES).astype(int))]
    columns = min(MOST_COLUMNS, len(picked))
    rows = -(-len(picked) // columns)
    figure = new_figure(1.8 * columns, 2.1 * rows, FLAG)
    for axes in figure.subplots(rows, columns, squeeze=False).flat:
        axes.axis("off")
    for axes, result in zip(figure.axes, picked, strict=False):
        best, label = result["top"][0], Path(result["image"]).parent.name
        color = "black" if label not in classes else "green" if label == best["class"] else "red"
        axes.imshow(read_rgb(result["image"]))
        axes.set_title(f"{literal(best['class'])}\n{best['probability']:.0%}", color=color, fontsize=9)
    write_figure(figure, path, dpi=100)
    logger.info("drew %d of %d images to %s", len(picked), len(results), path)

"""A sheet of pictures: some of many images, evenly picked, which the caller draws."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from src.runtime.figures import new_figure, write_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

logger = logging.getLogger(__name__)

Result = TypeVar("Result")
FLAG = "--sheet"


def draw_sheet(
    results: Sequence[Result],
    draw: Callable[[Axes, Result], None],
    path: Path,
    *,
    most: int,
    columns: int,
    panel: tuple[float, float],
) -> None:
    """Draw up to `most` of the results, in rows of up to `columns`.

    Args:
        results: one for each image.
        draw: draws one of them on axes without frame.
        path: the picture, .png or .pdf.
        most: number of panels.
        columns: number of panels beside each other.
        panel: width and height of one, in inches.

    Raises:
        UserError: matplotlib is not installed, or the file cannot be written.
    """
    picked = [results[i] for i in np.unique(np.linspace(0, len(results) - 1, most).astype(int))]
    columns = min(columns, len(picked))
    rows = -(-len(picked) // columns)
    figure = new_figure(panel[0] * columns, panel[1] * rows, FLAG)
    for axes in figure.subplots(rows, columns, squeeze=False).flat:
        axes.axis("off")
    for axes, result in zip(figure.axes, picked, strict=False):
        draw(axes, result)
    write_figure(figure, path, dpi=100)
    logger.info("drew %d of %d images to %s", len(picked), len(results), path)

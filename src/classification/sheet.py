"""Draw images with their predicted classes on one sheet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from src.images import sheet
from src.images.decoding import read_rgb
from src.runtime.figures import literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_IMAGES, MOST_COLUMNS = 32, 8
PANEL = (1.8, 2.1)  # inches


def draw_sheet(results: list[dict[str, Any]], classes: list[str], path: Path) -> None:
    """Draw up to 32 images, evenly picked from `results`, with the best class and its probability.

    If the folder of an image is named like a class, the title is green for a right prediction and red for a wrong one.

    Raises:
        UserError: matplotlib is not installed, or the file cannot be written.
    """

    def draw(axes: Axes, result: dict[str, Any]) -> None:
        best, label = result["top"][0], Path(result["image"]).parent.name
        color = "black" if label not in classes else "green" if label == best["class"] else "red"
        axes.imshow(read_rgb(result["image"]))
        axes.set_title(f"{literal(best['class'])}\n{best['probability']:.0%}", color=color, fontsize=9)

    sheet.draw_sheet(results, draw, path, most=MOST_IMAGES, columns=MOST_COLUMNS, panel=PANEL)

"""The label of a box on the axes of a figure: above the upper left corner, or inside where the image ends."""

from __future__ import annotations

from typing import cast

from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.text import Text


class BoxLabel(Text):
    """White letters on a color, at the upper left corner of a box.

    The place is chosen when the figure is drawn, because the layout and the fonts are known only then.

    Args:
        corner: x and y of the corner, in pixels of the image.
        text: as matplotlib reads it.
        color: behind the letters.
        size: of the letters, in points.
    """

    def __init__(self, corner: tuple[float, float], text: str, color: str, size: float) -> None:
        self.corner, self.pad = corner, size / 6
        behind = {"facecolor": color, "edgecolor": "none", "pad": self.pad}
        super().__init__(*corner, text, color="white", fontsize=size, bbox=behind, clip_on=True)

    def draw(self, renderer: RendererBase) -> None:
        if isinstance(self.axes, Axes):
            self.set_position(self._place(self.axes, renderer))
        super().draw(renderer)

    def _place(self, axes: Axes, renderer: RendererBase) -> tuple[float, float]:
        """Return the position, in pixels of the image, that keeps the label within the axes."""
        self.set_position(self.corner)
        image = axes.get_window_extent(renderer)
        pad = cast(float, renderer.points_to_pixels(self.pad))
        label = self.get_window_extent(renderer).padded(pad)
        x, y = axes.transData.transform(self.corner)
        right = max(min(0, image.x1 - label.x1), image.x0 - label.x0)
        up = min(y, image.y1) - label.y1 if label.y1 > image.y1 else 0
        found = axes.transData.inverted().transform((x + right, y + up))
        return float(found[0]), float(found[1])

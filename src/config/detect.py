"""Options of detect.py: the detector."""

from __future__ import annotations

from typing import ClassVar

from pydantic import field_validator

from src.config.options import Options, option
from src.design.detector import LastMap


class DetectorOptions(Options):
    """How SSDLite is attached to its backbone, and its anchors."""

    title: ClassVar[str] = "Detector"

    last_map: LastMap = option(
        "head",
        "the second map that boxes are predicted on: head: after the backbone's last 1x1 convolution, as published; "
        "block: before it, smaller and faster",
    )
    anchor_scales: tuple[float, float] = option(
        (0.2, 0.95), "sides of the smallest and the largest square anchors, as a share of the image"
    )
    aspect_ratios: tuple[float, float] = option(
        (2.0, 3.0), "width/height of the other anchors, each of which also stands upright"
    )

    @field_validator("anchor_scales")
    @classmethod
    def _shares(cls, pair: tuple[float, float]) -> tuple[float, float]:
        if not 0.001 <= pair[0] <= pair[1] <= 1:
            raise ValueError("expected two shares from 0.001 to 1, the smaller first")
        return pair

    @field_validator("aspect_ratios")
    @classmethod
    def _ratios(cls, pair: tuple[float, float]) -> tuple[float, float]:
        if not all(0.01 <= ratio <= 100 for ratio in pair):
            raise ValueError("expected two numbers from 0.01 to 100")
        return pair

"""Options of check_dataset.py and convert_dataset.py."""

from __future__ import annotations

from typing import ClassVar

from src.config.common import ImageOptions, ProgramOptions
from src.config.options import OptionalPath, option


class CheckConfig(ImageOptions, ProgramOptions):
    """All options of check_dataset.py."""


class ConvertConfig(ImageOptions, ProgramOptions):
    """All options of convert_dataset.py."""

    title: ClassVar[str] = "Conversion"

    output: OptionalPath = option(None, "folder of the converted data set: new, or that of an interrupted conversion")
    short_side: int = option(
        0,
        "shrink larger images to this short side, pixels, and save them as JPEG of quality 95; 0: copy all unchanged",
        ge=0,
        le=1024,
    )
    shards: int = option(0, "files per split; 0: one per 8,192 images", ge=0, le=99_999)

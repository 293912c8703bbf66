"""Options of search.py imagenet100."""

from __future__ import annotations

from typing import ClassVar

from src.config.common import ProgramOptions
from src.config.options import OptionalPath, option


class Imagenet100Config(ProgramOptions):
    """All options of search.py imagenet100."""

    title: ClassVar[str] = "Part of a data set"

    data_path: OptionalPath = option(None, "ImageNet, or another folder with train/CLASS/ and val/CLASS/ images")
    output: OptionalPath = option(None, "new folder, which gets links to the chosen images")
    classes: int = option(100, "classes, drawn at random", ge=1, le=1_000_000)
    class_list: OptionalPath = option(None, "text with the names of the classes, one a line, instead of random ones")
    images: int = option(500, "training images of each class, drawn at random", ge=1, le=1_000_000)
    seed: int = option(1, "seed of both draws", ge=0, le=2**32 - 1)

"""Options of postprocess.py."""

from __future__ import annotations

from typing import ClassVar

from src.config.common import ImageOptions, ProgramOptions
from src.config.detect import CocoOptions
from src.config.options import ClassOrder, OptionalName, OptionalPath, option, same_option


class ScoreConfig(ProgramOptions):
    """All options of postprocess.py."""

    title: ClassVar[str] = "Scoring"

    results: OptionalPath = option(None, "JSON or CSV file of tinynet_infer, or a folder of NAME_0.bin files")
    data_path: OptionalName = option(
        None,
        "images that were run: folder with CLASS/ or val/CLASS/, `digits` or `scenes`; of a detector: data set in "
        "COCO's layout, or `digits`",
    )
    val_json: OptionalPath = same_option(CocoOptions, "val_json")
    val_images: OptionalPath = same_option(CocoOptions, "val_images")
    class_order: ClassOrder = same_option(ImageOptions, "class_order")
    label_file: OptionalPath = option(
        None, "labels, instead of data_path: text of `NAME LABEL` lines, or JSON {NAME: LABEL}"
    )
    description: OptionalPath = option(
        None, "JSON file that export.py wrote beside the model; its classes must be those of the labels"
    )
    as_json: bool = option(False, "print the result as JSON in the last line", alias="json")

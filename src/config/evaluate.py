"""Options of eval.py and predict.py."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from src.config.common import DataOptions, DeviceOptions, ModelOptions
from src.config.options import PicturePath, option, same_option


class EvalConfig(DataOptions, DeviceOptions, ModelOptions):
    """All options of eval.py."""

    title: ClassVar[str] = "Output"

    as_json: bool = option(False, "print the result as JSON in the last line", alias="json")


class PredictConfig(DeviceOptions, ModelOptions):
    """All options of predict.py."""

    title: ClassVar[str] = "Prediction"

    images: tuple[Path, ...] = option((), "images, or folders of images", title="IMAGE_OR_FOLDER")
    batch_size: int = option(32, "images per batch", ge=1)
    workers: int = same_option(DataOptions, "workers")
    crop_pct: float | None = same_option(DataOptions, "crop_pct")
    top_k: int = option(5, "number of classes to list for each image", ge=1)
    labels: Path | None = option(None, "text file with one class name per line; default the checkpoint's own")
    as_json: bool = option(False, "print the result as JSON in the last line", alias="json")
    sheet: PicturePath = option(None, "write a picture of the images with their predictions to this file (.png, .pdf)")

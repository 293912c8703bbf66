"""Options of eval.py and predict.py."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

from pydantic import field_validator, model_validator
from typing_extensions import Self

from src.config.common import ComputeOptions, DataOptions, ModelOptions, known_model
from src.config.options import AnyPath, OptionalPath, OutputPath, PicturePath, conflict, option, same_option
from src.design.architecture_file import SUFFIXES

ALL = "all"  # networks with published weights


def is_pattern(name: str) -> bool:
    """Return whether `--model` names several networks: `all`, or a pattern such as `tinynet_*`."""
    return name == ALL or (any(letter in name for letter in "*?[") and Path(name).suffix not in SUFFIXES)


class EvalConfig(DataOptions, ComputeOptions, ModelOptions):
    """All options of eval.py.

    It evaluates several weights if `model` is a pattern, or `ckpt` is a folder or a pattern of paths.
    """

    title: ClassVar[str] = "Output"

    as_json: bool = option(False, "print the result as JSON in the last line", alias="json")
    results: OutputPath = option(
        None, "write a CSV file with one line for each image: path, class, and the five most probable classes"
    )
    confusion: PicturePath = option(None, "write a picture of the confusion matrix (.png, .pdf), up to 100 classes")
    table: OutputPath = option(
        None, "write a CSV file with one line for each of several weights: accuracy, loss, cost and source"
    )

    @field_validator("model")
    @classmethod
    def _known_model(cls, name: str | None) -> str | None:
        return name if name is not None and is_pattern(name) else known_model(name)

    @model_validator(mode="after")
    def _each_output_has_a_file(self) -> Self:
        outputs = {key: path for key in ("results", "confusion", "table") if (path := getattr(self, key))}
        if len({os.path.realpath(path) for path in outputs.values()}) < len(outputs):
            raise conflict(next(iter(outputs)), f"{' and '.join(outputs)} need files of their own")
        return self

    @model_validator(mode="after")
    def _only_published_weights_have_names(self) -> Self:
        if self.model is not None and is_pattern(self.model) and not self.pretrained:
            raise conflict("model", "several networks need their published weights; add --pretrained, or name one")
        return self


class PredictConfig(ComputeOptions, ModelOptions):
    """All options of predict.py."""

    title: ClassVar[str] = "Prediction"

    images: tuple[AnyPath, ...] = option((), "images, or folders of images", title="IMAGE_OR_FOLDER")
    batch_size: int = option(32, "images per batch", ge=1, le=65_536)
    workers: int = same_option(DataOptions, "workers")
    crop_pct: float | None = same_option(DataOptions, "crop_pct")
    top_k: int = option(5, "number of classes to list for each image", ge=1, le=1 << 20)
    labels: OptionalPath = option(None, "text file with one class name per line; default the checkpoint's own")
    as_json: bool = option(False, "print the result as JSON in the last line", alias="json")
    sheet: PicturePath = option(None, "write a picture of the images with their predictions to this file (.png, .pdf)")

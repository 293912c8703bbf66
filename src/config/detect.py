"""Options of detect.py: the detector, its data, augmentation and post-processing."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import field_validator, model_validator
from typing_extensions import Self

from src.config.common import BatchOptions, ComputeOptions, ImageOptions, ModelOptions
from src.config.evaluate import PredictConfig
from src.config.options import (
    AnyPath,
    OptionalName,
    OptionalPath,
    Options,
    PicturePath,
    conflict,
    option,
    other_default,
    same_option,
)
from src.config.train import RecipeOptions, TrainingConfig
from src.design.detector import LastMap

DIGITS = "digits"


class DetectorOptions(Options):
    """How SSDLite is attached to its backbone, and its anchors."""

    title: ClassVar[str] = "Detector"

    detector: Literal["ssdlite"] = option(
        "ssdlite", "kind of detector; scripts/run_distribute_train.sh trains a detector if the YAML has this key"
    )
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


class CocoOptions(Options):
    """The data set in COCO's format and how it is read."""

    title: ClassVar[str] = "Images"

    data_path: OptionalName = option(
        None,
        "folder in COCO's layout: annotations/instances_train*.json, annotations/instances_val*.json and folders of "
        "images; or `digits` for embedded scenes of handwritten digits",
    )
    val_json: OptionalPath = option(None, "annotations of the validation images; default found in data_path")
    val_images: OptionalPath = option(None, "folder of the validation images; default found in data_path")
    workers: int = same_option(ImageOptions, "workers")
    check_data: Literal["auto", "full", "quick", "off"] = option(
        "auto",
        "check the image files first: full decodes every image, quick reads sizes and the ends of each file, "
        "auto is full up to 20,000 images",
    )


class TrainCocoOptions(CocoOptions):
    """The training images."""

    title: ClassVar[str] = "Images"

    train_json: OptionalPath = option(None, "annotations of the training images; default found in data_path")
    train_images: OptionalPath = option(None, "folder of the training images; default found in data_path")
    new_scenes: bool = option(False, "with `data_path: digits`: draw new training scenes for each epoch")

    @model_validator(mode="after")
    def _only_digits_can_be_drawn(self) -> Self:
        if self.new_scenes and self.data_path != DIGITS:
            raise conflict("new_scenes", f"scenes are drawn for data_path {DIGITS} only; leave it out", "data_path")
        return self


class DetectAugmentOptions(Options):
    """Random changes of single training images and their boxes, as in torchvision."""

    title: ClassVar[str] = "Augmentation (training only)"

    iou_crop: bool = option(True, "crop to a part that overlaps an object by a drawn IoU (SSD)")
    zoom_out: float = option(0.0, "probability of showing the image on a canvas of up to 4 x 4 its size", ge=0, le=1)
    hflip: float = option(0.5, "probability of a horizontal flip", ge=0, le=1)
    photometric: float = option(
        0.0, "probability of changing brightness, contrast, saturation, hue and the order of channels", ge=0, le=1
    )


class PostprocessOptions(Options):
    """From the scores of all anchors to the objects of an image."""

    title: ClassVar[str] = "Post-processing"

    min_score: float = option(0.01, "least score of a candidate, a pair of an anchor and a class", ge=0, lt=1)
    candidates: int = option(300, "candidates of an image, the best of all classes together", ge=1, le=100_000)
    nms_overlap: float = option(0.55, "largest IoU of two objects of one class", gt=0, le=1)
    max_objects: int = option(100, "objects of an image; COCO counts 100", ge=1, le=100_000)


class DetectTrainConfig(  # the last two are named again, so that `--help` begins with the model
    TrainingConfig,
    PostprocessOptions,
    DetectAugmentOptions,
    BatchOptions,
    TrainCocoOptions,
    CocoOptions,
    DetectorOptions,
    ComputeOptions,
    ModelOptions,
):
    """All options of detect.py train.

    The defaults of the recipe are torchvision's, as in config/ssdlite.yaml, which names the sources. Only the epochs
    are fewer than its 660, because most data sets are smaller than COCO, and most trainings start from a classifier.
    """

    batch_size: int = other_default(BatchOptions, "batch_size", 24)
    epochs: int = other_default(RecipeOptions, "epochs", 100)
    lr: float = other_default(RecipeOptions, "lr", 0.15)
    lr_batch: int = other_default(RecipeOptions, "lr_batch", 192)
    warmup_epochs: float = other_default(RecipeOptions, "warmup_epochs", 1)
    warmup_lr: float = other_default(RecipeOptions, "warmup_lr", 1.5e-4)
    schedule: Literal["step", "cosine", "constant"] = other_default(RecipeOptions, "schedule", "cosine")
    min_lr: float = other_default(RecipeOptions, "min_lr", 0)
    optimizer: Literal["rmsprop", "sgd", "adamw"] = other_default(RecipeOptions, "optimizer", "sgd")
    weight_decay: float = other_default(RecipeOptions, "weight_decay", 4e-5)
    bn_momentum: float = other_default(RecipeOptions, "bn_momentum", 0.97)
    ema_decay: float = other_default(RecipeOptions, "ema_decay", 0)


class DetectEvalConfig(PostprocessOptions, BatchOptions, CocoOptions, ComputeOptions, ModelOptions):
    """All options of detect.py eval."""

    title: ClassVar[str] = "Output"

    batch_size: int = option(32, "images per batch and device", ge=1, le=65_536)
    as_json: bool = option(False, "print the result as JSON in the last line", alias="json")
    results: OptionalPath = option(None, "write all detections to this file, as JSON in COCO's result format")
    plot: PicturePath = option(
        None, "draw precision over recall, and the images with the most errors, to this file (.png, .pdf)"
    )


class DetectPredictConfig(PostprocessOptions, ComputeOptions, ModelOptions):
    """All options of detect.py predict."""

    title: ClassVar[str] = "Prediction"

    images: tuple[AnyPath, ...] = same_option(PredictConfig, "images")
    batch_size: int = same_option(PredictConfig, "batch_size")
    workers: int = same_option(PredictConfig, "workers")
    as_json: bool = option(False, "print all objects as JSON in the last line", alias="json")
    show_score: float = option(
        0.5, "least score of the objects that lines of text and pictures show; JSON has all", ge=0, le=1
    )
    draw: OptionalPath = option(None, "write a copy of each image with its objects to this folder, as PNG")
    sheet: PicturePath = option(None, "write a picture of up to 16 images with their objects to this file (.png, .pdf)")

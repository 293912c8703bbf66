"""What can be set: one typed schema, from which YAML keys, command-line flags and `--help` are all made.

A key is declared once, as a field with its type, range, default and help text; the class that declares it is its
group in `--help`. `src/cli.py` fills the schema from flags and YAML files.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from src.design.architecture_file import SUFFIXES
from src.design.families import ARCHITECTURES
from src.errors import did_you_mean

QUANTITIES = {  # units that a value may have, and an example
    "macs": ({"": 1, "k": 1e3, "m": 1e6, "g": 1e9}, "100M"),
    "latency": ({"ms": 1e-3, "s": 1}, "5ms"),
}


def option(default: Any, text: str, **limits: Any) -> Any:
    """A field: its default, its help text (with the unit), its range; `title` is what help calls its value."""
    return Field(default, description=text, **limits)


def picture(path: Path | None) -> Path | None:
    """A path that a picture can be written to.

    Raises:
        ValueError: it ends in something else.
    """
    if path is not None and path.suffix not in (".png", ".pdf"):
        raise ValueError("expected a name that ends in .png or .pdf")
    return path


class Options(BaseModel):
    """Base of all groups: immutable, and nothing but the declared fields."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ModelOptions(Options):
    """Model"""

    model: str | None = option(
        None,
        "network, such as tinynet_c, or an architecture file (.yaml, .json); when left out, the checkpoint's own",
        title="MODEL_OR_FILE",
    )
    ckpt: Path | None = option(None, "weights to start from: .ckpt, .safetensors (timm's) or .pth (needs torch)")
    weights: Literal["auto", "raw", "ema"] = option(
        "auto", "which weights of a training checkpoint; auto: those that scored better when it was saved"
    )
    num_classes: int = option(0, "classes; 0: as in the data (training) or in the weights", ge=0)
    input_size: int = option(
        0, "side of the input image, pixels; 0: as the weights were trained, else the model's", ge=0
    )

    @field_validator("model")
    @classmethod
    def _known_model(cls, name: str | None) -> str | None:
        if name is None or name in ARCHITECTURES or Path(name).suffix in SUFFIXES:
            return name
        names = ", ".join(ARCHITECTURES)
        raise ValueError(
            f"there is no such network{did_you_mean(name, ARCHITECTURES)} ({names}, or an architecture file)"
        )


class ProgramOptions(Options):
    """Program"""

    debug: bool = option(False, "show the stack trace of an error")


class DeviceOptions(ProgramOptions):
    """Device"""

    device_target: Literal["auto", "Ascend", "GPU", "CPU"] = option("auto", "auto: the first of these that works")
    device_id: int = option(0, "which device of its kind", ge=0)


class ImageOptions(Options):
    """Images"""

    data_path: str | None = option(
        None, "folder with train/CLASS/ and val/CLASS/ images, or `digits` for the embedded handwritten digits"
    )
    workers: int = option(0, "threads that decode images; 0: one a core, at most 8", ge=0)
    check_data: Literal["auto", "full", "quick", "off"] = option(
        "auto", "look for bad files first: full decodes all, quick reads their ends, auto is full up to 20,000 images"
    )


class DataOptions(ImageOptions):
    """Batches"""

    batch_size: int = option(128, "images a step and device", ge=1)
    crop_pct: float | None = option(
        None, "evaluation: share of the resized short side that is kept; default as trained, else 0.875", gt=0, le=1
    )


class AugmentOptions(Options):
    """Augmentation (training only)"""

    crop_scale: tuple[float, float] = option(
        (0.08, 1.0), "least and greatest share of the image's area that a crop keeps"
    )
    crop_ratio: tuple[float, float] = option((3 / 4, 4 / 3), "least and greatest width/height of a crop")
    antialias: bool = option(False, "shrink crops with an antialiased bicubic, as Pillow does: a sixth slower")
    hflip: float = option(0.5, "probability of a left-right flip", ge=0, le=1)
    color_jitter: float = option(
        0.4, "brightness, contrast and saturation change by up to this factor; not with the next two", ge=0, lt=1
    )
    randaugment: float = option(0, "magnitude of RandAugment, as timm's rand-m9-mstd0.5; 0: none", ge=0, le=10)
    autoaugment: bool = option(False, "AutoAugment with the policy found for ImageNet")
    randaugment_ops: int = option(2, "RandAugment: operations an image, each done with probability 1/2", ge=1, le=14)
    randaugment_std: float = option(0.5, "RandAugment: standard deviation of the magnitude", ge=0, le=10)
    random_erasing: float = option(0, "probability of erasing a rectangle, 2 % to 33 % of the image", ge=0, le=1)
    erasing_mode: Literal["const", "pixel"] = option("const", "what is put there: the mean colour, or noise by pixel")

    @field_validator("autoaugment")
    @classmethod
    def _one_policy(cls, wanted: bool, info: ValidationInfo) -> bool:
        if wanted and info.data.get("randaugment"):
            raise ValueError("RandAugment is on too; take one of them")
        return wanted

    @field_validator("crop_scale", "crop_ratio")
    @classmethod
    def _ordered(cls, pair: tuple[float, float]) -> tuple[float, float]:
        if not 0 < pair[0] <= pair[1]:
            raise ValueError("expected two numbers above 0, the smaller first")
        return pair

    @field_validator("crop_scale")
    @classmethod
    def _share(cls, pair: tuple[float, float]) -> tuple[float, float]:
        if pair[1] > 1:
            raise ValueError("a crop keeps at most 1, the whole image")
        return pair


class MixOptions(Options):
    """Mixing of images and labels (training only)"""

    mixup: float = option(0.0, "blend each image with another by a share from Beta(mixup, mixup); 0: off", ge=0)
    cutmix: float = option(
        0.0, "paste a box of another image, of an area from Beta(cutmix, cutmix), into each; 0: off", ge=0
    )
    mix_prob: float = option(1.0, "probability that a batch is mixed at all", ge=0, le=1)
    mix_switch_prob: float = option(0.5, "where both are on: probability of cutmix instead of mixup", ge=0, le=1)


class RecipeOptions(Options):
    """Recipe"""

    epochs: int = option(450, "passes over the training images", ge=1)
    lr: float = option(0.048, "learning rate after warm-up, for a batch of lr_batch", gt=0)
    lr_batch: int = option(1024, "images that lr was chosen for: it is scaled by batch / lr_batch; 0: not scaled", ge=0)
    warmup_epochs: float = option(3, "epochs over which the rate rises linearly", ge=0)
    warmup_lr: float = option(1e-6, "learning rate of the first step, not scaled", ge=0)
    schedule: Literal["step", "cosine", "constant"] = option(
        "step", "the learning rate after warm-up: falls in steps, falls along a cosine to min_lr, or stays"
    )
    decay_epochs: float = option(2.4, "schedule step: epochs between two decays", gt=0)
    decay_rate: float = option(0.97, "schedule step: factor of each decay", gt=0, le=1)
    min_lr: float = option(1e-6, "schedule cosine: learning rate of the last step, not scaled", ge=0)
    optimizer: Literal["rmsprop", "sgd", "adamw"] = option(
        "rmsprop", "rmsprop: TensorFlow's, of the paper; sgd: with momentum; adamw: decoupled weight decay"
    )
    rms_decay: float = option(0.9, "RMSProp: what the mean square keeps at a step", ge=0, lt=1)
    momentum: float = option(0.9, "RMSProp, SGD: momentum", ge=0, lt=1)
    nesterov: bool = option(False, "SGD: look ahead by the momentum")
    beta1: float = option(0.9, "AdamW: what the average gradient keeps at a step", gt=0, lt=1)
    beta2: float = option(0.999, "AdamW: what the average squared gradient keeps at a step", gt=0, lt=1)
    epsilon: float = option(1e-3, "RMSProp: added to the mean square, inside the root (TensorFlow's form)", gt=0)
    adam_epsilon: float = option(1e-8, "AdamW: added to the root of the mean square", gt=0)
    weight_decay: float = option(1e-5, "L2 penalty (adamw: decay) of matrices and kernels; others have none", ge=0)
    label_smoothing: float = option(0.1, "probability moved from the true class to all others together", ge=0, lt=1)
    dropout: float = option(0.2, "probability of dropping a feature before the classifier", ge=0, lt=1)
    drop_path: float = option(
        0.0, "probability of dropping the last residual branch; earlier ones drop less", ge=0, lt=1
    )
    bn_momentum: float = option(0.9, "BatchNorm: what the running statistics keep at a step", ge=0, lt=1)
    bn_epsilon: float = option(1e-5, "BatchNorm: added to the variance", gt=0)
    clip_norm: float = option(0, "greatest norm of all gradients together; 0: not clipped", ge=0)
    accumulate: int = option(1, "batches whose gradients make one update", ge=1)
    ema_decay: float = option(0.9999, "what the averaged weights keep at a step; 0: no average", ge=0, lt=1)
    ema_warmup: bool = option(False, "let the average forget its start: it keeps (1+t)/(10+t) at update t, if less")
    amp_level: Literal["O0", "O2", "O3"] = option(
        "O0", "O0: float32; O2: half precision but BatchNorm; O3: BatchNorm's input too; loss and weights stay float32"
    )
    amp_dtype: Literal["float16", "bfloat16"] = option("float16", "the half precision of amp_level O2 and O3")
    loss_scale: float = option(0, "float16: factor of the loss while gradients are taken; 0: found as it goes", ge=0)

    @field_validator("warmup_epochs")
    @classmethod
    def _within_run(cls, warmup: float, others: ValidationInfo) -> float:
        if warmup > others.data.get("epochs", warmup):
            raise ValueError(
                f"warm-up takes {warmup:g} epochs, the whole run {others.data['epochs']}; shorten --warmup_epochs"
            )
        return warmup

    @field_validator("nesterov")
    @classmethod
    def _look_ahead(cls, nesterov: bool, others: ValidationInfo) -> bool:
        if nesterov and others.data.get("momentum") == 0:
            raise ValueError("there is nothing to look ahead by; give a momentum above 0")
        return nesterov


class RunOptions(Options):
    """Run"""

    run_dir: Path | None = option(None, "where the run is kept; default runs/MODEL-DATE")
    cache: Literal["auto", "on", "off"] = option(
        "auto", "keep encoded training images in memory; auto: sets below 256 MB"
    )
    seed: int = option(1, "of weights, order, augmentation and dropout", ge=0, le=2**32 - 1)
    resume: str | None = option(
        None, "auto: go on from RUN_DIR/checkpoints/last.ckpt if there is one; PATH: from that file"
    )
    replace_head: bool = option(False, "start from weights of another class count, with a new classifier")
    freeze_backbone: bool = option(False, "train the classifier alone; all else stays as in ckpt")
    freeze_bn: bool = option(False, "BatchNorm keeps the running statistics of ckpt, and normalizes with them")
    allow_changes: bool = option(False, "resume even with settings, data or devices that change the result")
    checkpoint_minutes: float = option(15, "minutes after which a running epoch is saved", gt=0)
    eval_interval: int = option(1, "epochs between two evaluations", ge=1)
    log_interval: int = option(
        0, "steps between two lines of the log; losses are checked then; 0: a 20th of an epoch, at most 50", ge=0
    )
    tensorboard: bool = option(False, "write event files for TensorBoard to RUN_DIR/tensorboard as well")
    sync_bn: bool = option(False, "Ascend: BatchNorm over the images of all devices")
    data_sink: bool = option(False, "Ascend: send batches ahead to a queue on the device")


class TrainConfig(RunOptions, RecipeOptions, MixOptions, AugmentOptions, DataOptions, DeviceOptions, ModelOptions):
    """All of train.py."""

    @field_validator("freeze_backbone", "freeze_bn")
    @classmethod
    def _trained_before(cls, frozen: bool, others: ValidationInfo) -> bool:
        if frozen and not (others.data.get("ckpt") or others.data.get("resume")):
            raise ValueError("there are no trained weights to keep; give them with --ckpt")
        return frozen


class CheckConfig(ImageOptions, ProgramOptions):
    """All of check_dataset.py."""


class ConvertConfig(ImageOptions, ProgramOptions):
    """All of convert_dataset.py."""

    output: Path | None = option(None, "new folder for the converted data set, or one to go on with")
    short_side: int = option(
        0,
        "shrink larger images to this short side, pixels, as JPEGs of quality 95; 0: keep all as they are",
        ge=0,
        le=1024,
    )
    shards: int = option(0, "files a split is written to; 0: one for each 8,192 images", ge=0, le=99_999)


class EvalConfig(DataOptions, DeviceOptions, ModelOptions):
    """All of eval.py."""

    as_json: bool = option(False, "print the result as JSON in the last line", alias="json")


class ExportConfig(DeviceOptions, ModelOptions):
    """All of export.py."""

    file_name: Path | None = option(None, "output path without suffix; default the model's name")
    file_format: Literal["MINDIR", "ONNX", "AIR", "SAFETENSORS", "CKPT"] = option(
        "MINDIR", "MINDIR: Ascend and MindSpore Lite; ONNX: any runtime; AIR: old Ascend tools; the rest: weights alone"
    )
    batch_size: int = option(1, "images of one call; 0: any number (dynamic)", ge=0)
    crop_pct: float | None = DataOptions.model_fields["crop_pct"]
    images: Path | None = option(None, "image or folder to verify the file on; default two photographs of this project")
    fold: bool = option(True, "graphs: fold BatchNorm into the convolutions before it")
    precision: Literal["fp32", "fp16", "int8"] = option(
        "fp32", "MINDIR, ONNX: fp16 halves the file; ONNX: int8 needs --calibration and runs in ONNX Runtime"
    )
    calibration: Path | None = option(
        None,
        "int8: folder of images, such as a part of the training set, of which 256 are taken",
        validate_default=True,
    )
    data_path: str | None = option(
        None, "int8: data set (or `digits`) whose val images score the file; default the calibration's, without labels"
    )
    input_type: Literal["float32", "uint8"] = option(
        "float32", "MINDIR, ONNX: normalized NCHW, or RGB pixels NHWC that the graph normalizes itself"
    )
    soc_version: str | None = option(
        None, "MINDIR, ONNX: chip, such as Ascend310P3, to write AIPP settings and conversion commands for"
    )
    gears: str = option("", "soc_version: batch sizes to compile for, such as 1,8,16, of a file with batch_size 0")

    @field_validator("precision", "input_type", "soc_version")
    @classmethod
    def _of_a_graph(cls, value: str | None, others: ValidationInfo) -> str | None:
        default = cls.model_fields[str(others.field_name)].default
        if value != default and others.data.get("file_format") not in ("MINDIR", "ONNX"):
            raise ValueError("file_format MINDIR and ONNX offer that; take one of them, or leave this out")
        return value

    @field_validator("precision")
    @classmethod
    def _narrow(cls, precision: str, others: ValidationInfo) -> str:
        if precision == "int8" and others.data.get("file_format") != "ONNX":
            raise ValueError("8-bit files are ONNX; add --file_format ONNX, or take fp16")
        if precision != "fp32" and not others.data.get("fold"):
            raise ValueError("BatchNorm is computed in fp32; leave --no-fold out")
        return precision

    @field_validator("calibration")
    @classmethod
    def _calibrated(cls, folder: Path | None, others: ValidationInfo) -> Path | None:
        if others.data.get("precision") == "int8" and folder is None:
            raise ValueError("int8 takes the ranges of activations from images; name a folder of some hundred")
        return folder

    @field_validator("soc_version")
    @classmethod
    def _chip(cls, name: str | None, others: ValidationInfo) -> str | None:
        if name is None:
            return name
        if not re.fullmatch(r"Ascend\w+", name):
            raise ValueError("expected `Ascend` and the chip's name in `npu-smi info`, such as Ascend310P3")
        if others.data.get("input_type") == "uint8":
            raise ValueError("AIPP on the chip would normalize a second time; leave out one of it and input_type uint8")
        if others.data.get("precision") == "int8":
            raise ValueError("8-bit files run in ONNX Runtime; take precision fp32 or fp16 for the chip")
        return name

    @field_validator("gears")
    @classmethod
    def _batch_sizes(cls, gears: str, others: ValidationInfo) -> str:
        sizes = gears.split(",")
        if not all(size.isdecimal() and 1 <= int(size) <= 2048 for size in sizes) or not 1 <= len(sizes) <= 100:
            raise ValueError("expected up to 100 whole numbers from 1 to 2048 with commas, such as 1,8,16")
        if others.data.get("soc_version") is None or others.data.get("batch_size") != 0:
            raise ValueError("they belong to --soc_version and --batch_size 0; add both")
        return gears


class PredictConfig(DeviceOptions, ModelOptions):
    """All of predict.py."""

    images: tuple[Path, ...] = option((), "images, or folders of images", title="IMAGE_OR_FOLDER")
    batch_size: int = option(32, "images of one call", ge=1)
    workers: int = DataOptions.model_fields["workers"]
    crop_pct: float | None = DataOptions.model_fields["crop_pct"]
    top_k: int = option(5, "classes to name for each image", ge=1)
    labels: Path | None = option(None, "text file with one class name a line; default the checkpoint's own")
    as_json: bool = option(False, "print the result as JSON in the last line", alias="json")
    sheet: Path | None = option(None, "write a picture of the images with their predictions to this file (.png, .pdf)")

    @field_validator("sheet")
    @classmethod
    def _picture(cls, path: Path | None) -> Path | None:
        return picture(path)


class ScoreConfig(ProgramOptions):
    """All of postprocess.py."""

    results: Path | None = option(None, "JSON or CSV file of tinynet_infer, or a folder of NAME_0.bin files")
    data_path: str | None = option(None, "images that were run: folder with CLASS/ or val/CLASS/, or `digits`")
    label_file: Path | None = option(None, "instead: text of `NAME LABEL` lines, or JSON {NAME: LABEL}")
    description: Path | None = option(None, "JSON beside the model: its classes must be the truth's")
    as_json: bool = option(False, "print the result as JSON in the last line", alias="json")


class PlotOptions(ProgramOptions):
    """Picture"""

    plot: Path | None = option(None, "draw a picture to this file (.png, .pdf)")

    @field_validator("plot")
    @classmethod
    def _picture(cls, path: Path | None) -> Path | None:
        return picture(path)


class CostConfig(PlotOptions):
    """Networks"""

    models: tuple[str, ...] = option((), "names such as tinynet_c, or architecture files", title="MODEL_OR_FILE")
    every: bool = option(False, "all networks that are known by name, a line each", alias="all")
    num_classes: int = option(1000, "classes that the classifier tells apart", ge=1)
    input_size: int = option(0, "side of the input image, pixels; 0: the network's own", ge=0)
    as_json: bool = option(False, "print a line of JSON for each network instead", alias="json")


class FormulaConfig(PlotOptions):
    """Network for a budget"""

    macs: float | None = option(None, "budget: multiply-adds of one image, such as 100M or 0.6G", title="MACS", gt=0)
    base: str = option(
        "efficientnet_b0",
        "network to scale: a name or an architecture file; a flag only, as `base:` in YAML is another YAML",
        title="MODEL_OR_FILE",
    )
    rule: Literal["tiny", "giant"] = option(
        "tiny", "tiny: the TinyNet paper's formula, shrinks; giant: EfficientNet's compound scaling, either way"
    )
    points: Path | None = option(
        None, "tiny: fit it on the points of this .csv or .json file (c, r, d) instead of the published TinyNets"
    )
    pixels: int = option(4, "tiny: the resolution may move by so much to meet the budget", ge=0, le=64)
    latency: float | None = option(
        None,
        "instead of macs: the largest network that takes so long for an image here, such as 5ms",
        title="TIME",
        gt=0,
    )
    benchmark: bool = option(False, "time the network on this machine, as an ONNX file in ONNX Runtime")
    threads: int = option(1, "benchmark, latency: threads that compute an image", ge=1)
    output: Path | None = option(
        None, "write the network as an architecture file (.yaml, .yml, .json), and NAME_train.yaml for train.py"
    )

    @field_validator("macs", "latency", mode="before")
    @classmethod
    def _unit(cls, text: Any, field: ValidationInfo) -> Any:
        units, example = QUANTITIES[str(field.field_name)]
        if not isinstance(text, str):
            return text
        found = re.fullmatch(r"([\d.eE+-]+)\s*([A-Za-z]*)", text)
        try:
            return float(found[1]) * units[found[2].lower()]
        except (TypeError, ValueError, KeyError):
            raise ValueError(f"expected a number with a unit, such as {example}") from None


class CompareConfig(ProgramOptions):
    """Two networks"""

    models: tuple[str, ...] = option((), "two names or architecture files", title="MODEL_OR_FILE")


class TableConfig(ProgramOptions):
    """Table of all networks"""

    write: bool = option(False, "put the table into the files named, between their two marker comments")
    files: tuple[Path, ...] = option((), "with --write: Markdown files; *_CN.md are Chinese", title="FILE")


COMMANDS = (
    *(TrainConfig, CheckConfig, ConvertConfig, EvalConfig, ExportConfig, PredictConfig),
    *(ScoreConfig, CostConfig, FormulaConfig, CompareConfig, TableConfig),
)


def key_of(name: str, schema: type[Options]) -> str:
    """A field's public name: YAML key and flag."""
    return schema.model_fields[name].alias or name


def keys(schema: type[Options]) -> dict[str, str]:
    """Public name -> field name, for every field of a command."""
    return {key_of(name, schema): name for name in schema.model_fields}

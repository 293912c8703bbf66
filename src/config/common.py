"""Groups of options that several commands share: program, device, model, images and batches."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import field_validator, model_validator
from typing_extensions import Self

from src.config.options import ClassOrder, OptionalName, OptionalPath, Options, conflict, option
from src.design.architecture_file import SUFFIXES
from src.design.families import ARCHITECTURES
from src.errors import did_you_mean


class ProgramOptions(Options):
    """Options of every command."""

    title: ClassVar[str] = "Program"

    debug: bool = option(False, "show the stack trace of an error")


class DeviceOptions(ProgramOptions):
    """The device that computes."""

    title: ClassVar[str] = "Device"

    device_target: Literal["auto", "Ascend", "GPU", "CPU"] = option(
        "auto", "auto: the first of Ascend, GPU and CPU that works"
    )
    device_id: int = option(0, "number of the device among those of its kind", ge=0, le=1023)


class ComputeOptions(DeviceOptions):
    """The device, and whose operators compute on a CPU."""

    title: ClassVar[str] = "Device"

    cpu_kernels: Literal["auto", "on", "off"] = option(
        "auto",
        "the project's own operators for CPUs, several times as fast in training: auto: where a C++ compiler has built "
        "them or can; on: end with an error if not; off: MindSpore's operators",
    )


class ModelOptions(Options):
    """The network and its weights."""

    title: ClassVar[str] = "Model"

    model: OptionalName = option(
        None,
        "network, such as tinynet_c, or an architecture file (.yaml, .json); default the checkpoint's own",
        title="MODEL_OR_FILE",
    )
    ckpt: OptionalPath = option(None, "weights to start from: .ckpt, .safetensors or .pth, also of other projects")
    pretrained: bool = option(
        False, "instead of ckpt: the weights that timm published for model, from the Hugging Face hub or its cache"
    )
    weights: Literal["auto", "raw", "ema"] = option(
        "auto", "weights of a training checkpoint: raw, their EMA, or auto: those that scored better when it was saved"
    )
    num_classes: int = option(
        0, "number of classes; 0: as in the data (training) or in the weights", ge=0, le=1_000_000
    )
    input_size: int = option(
        0, "side of the input image, pixels, 8 to 4096; 0: as the weights were trained, else the model's", ge=0, le=4096
    )

    @field_validator("model")
    @classmethod
    def _known_model(cls, name: str | None) -> str | None:
        return known_model(name)

    @model_validator(mode="after")
    def _one_source_of_weights(self) -> Self:
        if self.pretrained and self.ckpt:
            raise conflict("pretrained", f"ckpt names other weights, {self.ckpt}; leave one of them out")
        return self


def known_model(name: str | None) -> str | None:
    """Return `name` if it is that of a network or of an architecture file, or None.

    Raises:
        ValueError: there is no such network.
    """
    if name is None or name in ARCHITECTURES or Path(name).suffix in SUFFIXES:
        return name
    names = ", ".join(ARCHITECTURES)
    raise ValueError(f"unknown network{did_you_mean(name, ARCHITECTURES)} ({names}, or an architecture file)")


class ImageOptions(Options):
    """The image folder and how it is read."""

    title: ClassVar[str] = "Images"

    data_path: OptionalName = option(
        None,
        "folder with train/CLASS/ and val/CLASS/ images, or embedded data: `digits`, handwritten ones; "
        "`scenes`, the same in clutter",
    )
    workers: int = option(0, "threads that decode images; 0: one per core, at most 8", ge=0, le=1024)
    check_data: Literal["auto", "full", "quick", "off"] = option(
        "auto",
        "check for damaged files first: full decodes every image, quick reads the ends of each file, "
        "auto is full up to 20,000 images",
    )
    class_order: ClassOrder = option(
        "auto",
        "how class folders are numbered: text: 0, 1, 10, 2, as in torchvision; natural: 0, 1, 2, 10, as in timm; "
        "auto: as the weights name their classes, else text",
    )


class BatchOptions(Options):
    """Batches, of any images."""

    title: ClassVar[str] = "Batches"

    batch_size: int = option(128, "images per batch and device", ge=1, le=65_536)


class DataOptions(BatchOptions, ImageOptions):
    """Batches of images that belong to classes."""

    title: ClassVar[str] = "Batches"

    crop_pct: float | None = option(
        None,
        "evaluation: size of the center crop as a share of the resized short side; default as trained, else 0.875",
        ge=0.01,
        le=1,
    )

"""Options of export.py and of detect.py export."""

from __future__ import annotations

import re
from typing import ClassVar, Literal

from pydantic import field_validator, model_validator
from typing_extensions import Self

from src.config.common import DataOptions, DeviceOptions, ModelOptions
from src.config.detect import CocoOptions, PostprocessOptions
from src.config.options import ClassOrder, OptionalName, OptionalPath, OutputPath, conflict, option, same_option


class ExportOptions(DeviceOptions, ModelOptions):
    """The file and its format, for a network of any task."""

    title: ClassVar[str] = "Export"

    file_name: OutputPath = option(None, "output path without suffix; default the model's name")
    file_format: Literal["MINDIR", "ONNX", "AIR", "SAFETENSORS", "CKPT"] = option(
        "MINDIR",
        "MINDIR: Ascend and MindSpore Lite; ONNX: any runtime; AIR: old Ascend tools; "
        "SAFETENSORS, CKPT: weights without a graph",
    )
    batch_size: int = option(1, "images per call; 0: any number (dynamic)", ge=0, le=2048)
    images: OptionalPath = option(
        None, "image or folder to verify the file on; default two photographs of this project"
    )
    fold: bool = option(True, "MINDIR, ONNX, AIR: fold BatchNorm into the convolutions before it")
    precision: Literal["fp32", "fp16", "int8"] = option(
        "fp32", "MINDIR, ONNX: fp16 halves the file; ONNX: int8 needs --calibration and runs in ONNX Runtime"
    )
    calibration: OptionalPath = option(
        None, "int8: folder of images, such as a part of the training set; 256 of them are used"
    )
    input_type: Literal["float32", "uint8"] = option(
        "float32", "MINDIR, ONNX: float32: normalized NCHW; uint8: RGB pixels NHWC, which the graph normalizes"
    )
    soc_version: str | None = option(
        None, "MINDIR, ONNX: chip, such as Ascend310P3, to write AIPP settings and conversion commands for"
    )
    gears: str = option("", "soc_version: batch sizes to compile a file with batch_size 0 for, such as 1,8,16")

    @field_validator("soc_version")
    @classmethod
    def _chip_name(cls, name: str | None) -> str | None:
        if name is not None and not re.fullmatch(r"Ascend\w+", name):
            raise ValueError("expected `Ascend` and the chip's name in `npu-smi info`, such as Ascend310P3")
        return name

    @field_validator("gears")
    @classmethod
    def _batch_sizes(cls, gears: str) -> str:
        sizes = gears.split(",")
        if not all(size.isdecimal() and 1 <= int(size) <= 2048 for size in sizes) or not 1 <= len(sizes) <= 100:
            raise ValueError("expected up to 100 whole numbers from 1 to 2048 with commas, such as 1,8,16")
        return gears

    @model_validator(mode="after")
    def _graph_options_need_a_graph(self) -> Self:
        if self.file_format not in ("MINDIR", "ONNX"):
            for key in ("precision", "input_type", "soc_version"):
                if getattr(self, key) != type(self).model_fields[key].default:
                    raise conflict(key, f"only MINDIR and ONNX files have it; choose one of them, or leave out --{key}")
        return self

    @model_validator(mode="after")
    def _precision_fits_the_file(self) -> Self:
        if self.precision == "int8" and self.file_format != "ONNX":
            raise conflict("precision", "8-bit files are ONNX; add --file_format ONNX, or choose fp16")
        if self.precision != "fp32" and not self.fold:
            raise conflict("precision", "BatchNorm is computed in fp32; leave --no-fold out")
        if self.precision == "int8" and self.calibration is None:
            reason = "int8 takes the ranges of activations from images"
            raise conflict("calibration", f"{reason}; name a folder of some hundred images")
        return self

    @model_validator(mode="after")
    def _chip_can_run_the_file(self) -> Self:
        if self.soc_version and self.input_type == "uint8":
            reason = "AIPP on the chip would normalize a second time"
            raise conflict("soc_version", f"{reason}; leave out --soc_version or --input_type uint8")
        if self.soc_version and self.precision == "int8":
            raise conflict("soc_version", "8-bit files run in ONNX Runtime; choose precision fp32 or fp16 for the chip")
        if self.gears and (self.soc_version is None or self.batch_size != 0):
            raise conflict("gears", "gears need --soc_version and --batch_size 0; add both")
        return self


class ExportConfig(ExportOptions):
    """All options of export.py."""

    title: ClassVar[str] = "Export"

    names: Literal["timm", "mindcv", "zoo"] = option(
        "timm",
        "SAFETENSORS, CKPT: names of the tensors, by which timm, MindCV or MindSpore's model zoo loads them",
    )
    crop_pct: float | None = same_option(DataOptions, "crop_pct")
    data_path: OptionalName = option(
        None, "int8: data set (or `digits`) whose val images score the file; default the calibration's, without labels"
    )
    class_order: ClassOrder = same_option(DataOptions, "class_order")

    @model_validator(mode="after")
    def _names_need_weights(self) -> Self:
        if self.names != "timm" and self.file_format not in ("SAFETENSORS", "CKPT"):
            reason = f"{self.file_format} has no names of tensors that other projects load"
            raise conflict("names", f"{reason}; add --file_format CKPT or SAFETENSORS")
        return self


class DetectExportConfig(PostprocessOptions, ExportOptions):
    """All options of detect.py export."""

    title: ClassVar[str] = "Export"

    file_format: Literal["MINDIR", "ONNX", "AIR", "CKPT"] = option(
        "MINDIR",
        "MINDIR: Ascend and MindSpore Lite; ONNX: any runtime; AIR: old Ascend tools; CKPT: weights without a graph",
    )
    data_path: OptionalName = option(
        None,
        "int8: data set in COCO's layout (or `digits`) whose val images score the file; default the calibration's, "
        "without AP",
    )
    val_json: OptionalPath = same_option(CocoOptions, "val_json")
    val_images: OptionalPath = same_option(CocoOptions, "val_images")

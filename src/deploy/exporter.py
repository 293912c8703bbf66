"""The actions of export.py and detect.py export: one network as a verified MINDIR, ONNX or AIR, or as weights."""

from __future__ import annotations

import logging
from pathlib import Path

from src.config import DetectExportConfig, ExportConfig, ExportOptions
from src.deploy.ascend_converter import Conversion, write_converter_files
from src.deploy.classifier import Classifier
from src.deploy.description import describe
from src.deploy.detector import ExportedDetector
from src.deploy.exportable import Exportable
from src.deploy.float_file import write_float
from src.deploy.int8_file import write_int8
from src.deploy.outputs import WEIGHT_FORMATS, check_outputs
from src.detection.weights import load_detector
from src.errors import UserError
from src.models import load_model
from src.runtime import device
from src.runtime.files import atomic_write
from src.runtime.logs import log_to

logger = logging.getLogger(__name__)

SUFFIXES = {"MINDIR": ".mindir", "ONNX": ".onnx", "AIR": ".air", "SAFETENSORS": ".safetensors", "CKPT": ".ckpt"}


def export_checkpoint(config: ExportConfig) -> Path:
    """Export the classifier that `config` names; see `export`."""
    prepare(config)
    return export(config, Classifier(config, load_model(config, config.crop_pct)))


def export_detector(config: DetectExportConfig) -> Path:
    """Export the detector that `config` names; see `export`."""
    prepare(config)
    return export(config, ExportedDetector(config, load_detector(config)))


def export(config: ExportOptions, model: Exportable) -> Path:
    """Write the file and return its path. A graph also gets a description and files for Ascend's converters.

    Raises:
        UserError: weights are missing or do not fit, the format needs another machine or package, or the file computes
            something else than the network.
    """
    path = output_path(config, model)
    check_outputs(config, path)
    if config.file_format in WEIGHT_FORMATS:
        model.save_weights(path)
        _log_size(path)
        return path
    with atomic_write(path) as temporary:
        if config.precision == "int8":
            measured = write_int8(config, model, temporary)
        else:
            differences = write_float(config, model, temporary)
            measured = {"largest_difference": differences.entry() if differences else None}
    _log_size(path)
    describe(model, path, config, measured)
    if config.soc_version:
        _write_converter_files(config, config.soc_version, model, path)
    return path


def output_path(config: ExportOptions, model: Exportable) -> Path:
    """Return FILE_NAME, with the format's suffix appended if it is missing."""
    base, suffix = config.file_name or Path(model.name), SUFFIXES[config.file_format]
    return base if base.suffix == suffix else base.with_name(base.name + suffix)


def prepare(config: ExportOptions) -> None:
    """Choose the device: by default the CPU, because NPUs may compute convolutions with fewer bits than the files.

    AIR needs the NPU.

    Raises:
        UserError: the device cannot be used, or cannot write the format.
    """
    log_to()
    is_air = config.file_format == "AIR"
    wanted = "CPU" if config.device_target == "auto" and not is_air else config.device_target
    target = device.setup(wanted, config.device_id).target
    if is_air and target != "Ascend":
        raise UserError(
            f"file_format AIR needs an Ascend machine, this one has {target}; MINDIR serves Ascend 310 too: "
            "--file_format MINDIR"
        )
    if is_air and config.batch_size == 0:
        raise UserError("batch_size is 0, but an AIR file has a fixed batch; give --batch_size 1 or more")


def _write_converter_files(config: ExportOptions, soc_version: str, model: Exportable, path: Path) -> None:
    gears = tuple(int(gear) for gear in config.gears.split(",") if gear)
    precision = "fp32" if model.decode else config.precision  # types as in the file, where decoding is float32
    conversion = Conversion(path, soc_version, model.preprocess, precision, config.batch_size or 1, gears)
    for written in write_converter_files(conversion):
        logger.info("%s: written for %s", written, soc_version)


def _log_size(path: Path) -> None:
    logger.info("%s: %.2f MB", path, path.stat().st_size / 1e6)

"""What export.py does: one network to MINDIR, ONNX, AIR or plain weights, verified, described by a JSON beside it."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mindspore as ms
import numpy as np

from src.classification.classes import check_same_classes
from src.config import ExportConfig
from src.deploy.ascend_converter import Conversion, write_chip_files
from src.deploy.deployed_network import DeployedGraph, as_input, input_shape
from src.deploy.description import describe
from src.deploy.folding import folded
from src.deploy.int8 import CALIBRATION_IMAGES, Comparison, compare, quantize
from src.deploy.onnx_file import write_onnx
from src.deploy.verification import TOLERANCE, crops_of, difference, verification_pixels
from src.design.architecture_file import to_dict
from src.errors import UserError
from src.images.folder import check_images, open_split, resolve_data_path
from src.models import LoadedModel, load_model
from src.runtime import device
from src.runtime.files import atomic_write
from src.runtime.logs import log_to
from src.weights.ckpt import save_ckpt
from src.weights.loading import save_safetensors
from src.weights.names import weights_of

logger = logging.getLogger(__name__)

SUFFIXES = {"MINDIR": ".mindir", "ONNX": ".onnx", "AIR": ".air", "SAFETENSORS": ".safetensors", "CKPT": ".ckpt"}


def export_checkpoint(config: ExportConfig) -> Path:
    """Write the file, beside a graph its description and what was asked for the chip, and return the file's path.

    Graphs are exported on the CPU unless a device is named: their logits are held against float32 runtimes, and an NPU
    may compute convolutions with fewer bits. AIR needs the NPU.

    Raises:
        UserError: missing or unfit weights, a format that needs what is not here, a file that computes otherwise.
    """
    log_to()
    wanted = "CPU" if config.device_target == "auto" and config.file_format != "AIR" else config.device_target
    target = device.setup(wanted, config.device_id).target
    if config.file_format == "AIR" and target != "Ascend":
        raise UserError(
            f"file_format AIR needs an Ascend machine, this one has {target}; MINDIR serves Ascend 310 too: "
            "--file_format MINDIR"
        )
    if config.file_format == "AIR" and config.batch_size == 0:
        raise UserError("batch_size is 0, but an AIR file has a fixed batch; give --batch_size 1 or more")
    model = load_model(config, config.crop_pct)
    path = output_path(config, model)
    if config.file_format in ("SAFETENSORS", "CKPT"):
        return _save_weights(model, path)
    with atomic_write(path) as temporary:
        if config.precision == "int8":
            measured = _write_int8(config, model, temporary)
        else:
            measured = {"largest_difference": _write_graph(config, model, temporary)}
    logger.info("%s: %.2f MB", path, path.stat().st_size / 1e6)
    describe(model, path, config, measured)
    if config.soc_version:
        gears = tuple(int(gear) for gear in config.gears.split(",") if gear)
        conversion = Conversion(
            path, config.soc_version, model.preprocess, config.precision, config.batch_size or 1, gears
        )
        for written in write_chip_files(conversion):
            logger.info("%s: written for %s", written, config.soc_version)
    return path


def output_path(config: ExportConfig, model: LoadedModel) -> Path:
    """FILE_NAME with the format's suffix, added when it is not there."""
    base, suffix = config.file_name or Path(model.name), SUFFIXES[config.file_format]
    if base.name in ("", ".."):
        raise UserError(f"file_name is {base}, a folder; give the path of a file, such as {base / model.name}")
    return base if base.suffix == suffix else base.with_name(base.name + suffix)


def batches(images: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """All images in batches of `batch_size`, the last one filled up from the front; 0: all at once, then one alone."""
    if batch_size == 0:
        return [images, images[:1]]
    return [images[index] for index in _full_batches(len(images), batch_size)]


def _full_batches(count: int, batch_size: int) -> Iterator[np.ndarray]:
    for start in range(0, count, batch_size):
        yield np.arange(start, start + batch_size) % count


def _write_graph(config: ExportConfig, model: LoadedModel, path: Path) -> float | None:
    """Write and verify a float file; its largest difference, or None where it cannot be loaded again."""
    images = verification_pixels(model.preprocess, config.images)
    reference = [
        (as_input(crops, model.preprocess, config.input_type), _logits(model, crops))
        for crops in batches(images, config.batch_size)
    ]
    _export(config, model, path)
    if (config.file_format, config.precision) not in TOLERANCE:
        logger.info("%s cannot be loaded again to verify it", path.name)
        return None
    found = max(difference(path, batch, logits) for batch, logits in reference)
    _refuse_beyond(TOLERANCE[config.file_format, config.precision], found, path)
    logger.info(
        "%s: verified on %d images, largest difference %.1e of the largest logit", path.name, len(images), found
    )
    return float(f"{found:.2g}")


def _write_int8(config: ExportConfig, model: LoadedModel, path: Path) -> dict[str, Any]:
    """Write and verify a file of 8-bit integers, by way of a verified float file; what the JSON says of it."""
    calibration = as_input(
        crops_of(config.calibration, CALIBRATION_IMAGES, model.preprocess, "calibration"),
        model.preprocess,
        config.input_type,
    )
    source = path.with_name(f"float-{path.name}")
    _write_graph(config.model_copy(update={"precision": "fp32"}), model, source)
    quantize(source, path, batches(calibration, config.batch_size or 1))
    result = _compared(config, model, path, source, calibration)
    _refuse_beyond(TOLERANCE["ONNX", "int8"], result.largest_difference, path)
    logger.info("%s: %s", path.name, result)
    return {"largest_difference": float(f"{result.largest_difference:.2g}"), "against_float": result.as_dict()}


def _compared(
    config: ExportConfig, model: LoadedModel, path: Path, source: Path, calibration: np.ndarray
) -> Comparison:
    """The 8-bit file against the float one: on the data set's val images, else on those of the calibration."""
    size = config.batch_size or 1
    if config.data_path is None:
        return compare(path, source, batches(calibration, size), len(calibration))
    folder = open_split(resolve_data_path(config.data_path), "val")
    check_same_classes(model, folder)
    check_images([folder])
    crops = (
        np.stack([model.preprocess.pixels(folder.files[position]) for position in index])
        for index in _full_batches(len(folder), size)
    )
    inputs = (as_input(batch, model.preprocess, config.input_type) for batch in crops)
    return compare(path, source, inputs, len(folder), folder.labels)


def _refuse_beyond(allowed: float, found: float, path: Path) -> None:
    if not found <= allowed:
        raise UserError(f"{path.name} was not written: its logits differ by {found:.1e}, more than {allowed:g}")


def _logits(model: LoadedModel, crops: np.ndarray) -> np.ndarray:
    return model.network(ms.Tensor(model.preprocess.normalize(crops))).asnumpy()


def _save_weights(model: LoadedModel, path: Path) -> Path:
    if path.suffix == ".safetensors":
        save_safetensors(model.network, path)
    else:
        meta = {"model": model.name, "architecture": to_dict(model.network.architecture)}
        meta |= {"classes": list(model.classes), "preprocess": model.preprocess.as_dict()}
        meta |= {key: value for key, value in model.weights.meta.items() if key == "bn_epsilon"}
        save_ckpt({name: p.asnumpy() for name, p in weights_of(model.network).items()}, path, meta)
    logger.info("%s: %.2f MB", path, path.stat().st_size / 1e6)
    return path


def _export(config: ExportConfig, model: LoadedModel, path: Path) -> None:
    """Write the graph as MINDIR, ONNX or AIR."""
    pixels = config.input_type == "uint8"
    network = folded(model.network) if config.fold else model.network
    graph = DeployedGraph(network, model.preprocess, pixels=pixels, half=config.precision == "fp16")
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / f"network{path.suffix}"  # MindSpore refuses paths with a space, among others
        if config.file_format == "ONNX":
            write_onnx(graph, _example(config, model, 1), plain, config.batch_size)
        else:
            images = _example(config, model, config.batch_size)
            ms.export(graph, images, file_name=str(plain), file_format=config.file_format)
        shutil.move(plain, path)


def _example(config: ExportConfig, model: LoadedModel, batch_size: int) -> ms.Tensor:
    """Zeros of the input's shape and type; of an open batch the shape alone."""
    shape = input_shape(batch_size or None, model.preprocess.size, config.input_type)
    if batch_size == 0:
        return ms.Tensor(shape=shape, dtype=getattr(ms, config.input_type))
    return ms.Tensor(np.zeros(shape, config.input_type))

"""Write a network as an 8-bit ONNX file, and compare it with the float file that it is made from."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np

from src.classification.classes import numbered_as_trained
from src.config import ExportConfig
from src.deploy.batches import batches, full_batches
from src.deploy.comparison import Comparison, compare
from src.deploy.deployed_network import as_input
from src.deploy.float_file import write_float
from src.deploy.quantization import quantize
from src.deploy.verification import TOLERANCE, check_difference, crops_of
from src.errors import UserError
from src.images.check import check_images
from src.images.data_path import open_split, resolve_data_path
from src.models import LoadedModel

logger = logging.getLogger(__name__)

CALIBRATION_IMAGES = 256


def write_int8(config: ExportConfig, model: LoadedModel, path: Path) -> dict[str, Any]:
    """Write a verified float file beside `path`, quantize it to `path`, and compare both.

    Returns:
        The entries of the description: `largest_difference` and `against_float`.

    Raises:
        UserError: the difference is too large, or images are missing, bad, or of other classes.
    """
    if config.calibration is None:
        raise UserError("calibration is missing: give images that are like those of the task")
    crops = crops_of(config.calibration, CALIBRATION_IMAGES, model.preprocess, "calibration")
    calibration = as_input(crops, model.preprocess, config.input_type)
    source = path.with_name(f"float-{path.name}")
    write_float(config.model_copy(update={"precision": "fp32"}), model, source)
    quantize(source, path, batches(calibration, config.batch_size or 1))
    result = _compare(config, model, path, source, calibration)
    check_difference(result.largest_difference, TOLERANCE["ONNX", "int8"], path)
    logger.info("%s: %s", path.name, result)
    return {"largest_difference": float(f"{result.largest_difference:.2g}"), "against_float": result.as_dict()}


def _compare(config: ExportConfig, model: LoadedModel, path: Path, source: Path, calibration: np.ndarray) -> Comparison:
    """Compare both files on the val images of the data set or, without a data set, on the calibration images."""
    size = config.batch_size or 1
    if config.data_path is None:
        return compare(path, source, batches(calibration, size), len(calibration))
    images = open_split(resolve_data_path(config.data_path), "val", config.class_order)
    images = numbered_as_trained(model, images, config.class_order)
    check_images([images])
    crops = (
        np.stack([model.preprocess.pixels(images.files[position]) for position in positions])
        for positions in full_batches(len(images), size)
    )
    inputs = (as_input(batch, model.preprocess, config.input_type) for batch in crops)
    return compare(path, source, inputs, len(images), images.labels)

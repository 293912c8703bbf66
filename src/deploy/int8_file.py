"""Write a network as an 8-bit ONNX file, and compare it with the float file that it is made from."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from src.config import ExportOptions
from src.deploy.batches import batches
from src.deploy.deployed_network import as_input
from src.deploy.exportable import Exportable
from src.deploy.float_file import write_float
from src.deploy.quantization import quantize
from src.deploy.verification import pixels_of
from src.errors import UserError

logger = logging.getLogger(__name__)

CALIBRATION_IMAGES = 256


def write_int8(config: ExportOptions, model: Exportable, path: Path) -> dict[str, Any]:
    """Write a verified float file beside `path`, quantize it to `path`, and compare both.

    Returns:
        The entries of the description: `largest_difference` and `against_float`.

    Raises:
        UserError: the difference is too large, or images are missing, bad, or of other classes.
    """
    if config.calibration is None:
        raise UserError("calibration is missing: give images that are like those of the task")
    pixels = pixels_of(config.calibration, CALIBRATION_IMAGES, model.pixels, "calibration")
    calibration = as_input(pixels, model.preprocess, config.input_type)
    source = path.with_name(f"float-{path.name}")
    write_float(config.model_copy(update={"precision": "fp32"}), model, source)
    quantize(source, path, batches(calibration, config.batch_size or 1), float_ending=model.decode is not None)
    result = model.compare(path, source, calibration)
    result.differences.check(("ONNX", "int8"), path)
    logger.info("%s: %s", path.name, result)
    return {"largest_difference": result.differences.entry(), "against_float": result.as_dict()}

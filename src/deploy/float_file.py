"""Write a network as a float MINDIR, ONNX or AIR file, and verify it."""

from __future__ import annotations

import logging
from pathlib import Path

import mindspore as ms
import numpy as np

from src.config import ExportOptions
from src.deploy.batches import batches
from src.deploy.deployed_network import as_input, image_shape
from src.deploy.exportable import Exportable
from src.deploy.mindir_file import write_mindir
from src.deploy.onnx_file import write_onnx
from src.deploy.output import Differences
from src.deploy.verification import MAX_IMAGES, SAMPLES, as_arrays, pixels_of, run_file
from src.runtime.files import plain_path, require_space

logger = logging.getLogger(__name__)


def write_float(config: ExportOptions, model: Exportable, path: Path) -> Differences | None:
    """Write a float file, and verify it on the user's images or on the project's photographs.

    Returns:
        How far its outputs are from the network's. None for a format that cannot be loaded again.

    Raises:
        UserError: a difference is too large, an image cannot be read, or a package is missing.
    """
    images = pixels_of(config.images or SAMPLES, MAX_IMAGES, model.pixels, "images")
    network = model.deployed()
    reference = [
        (
            as_input(pixels, model.preprocess, config.input_type),
            as_arrays(network(ms.Tensor(model.preprocess.normalize(pixels)))),
        )
        for pixels in batches(images, config.batch_size)
    ]
    _export(config, model, path)
    kind, largest = (config.file_format, config.precision), Differences(model.outputs)
    if any(kind not in output.tolerance for output in model.outputs):
        logger.info("%s cannot be loaded again to verify it", path.name)
        return None
    for batch, expected in reference:
        largest.add(run_file(path, batch), expected)
    largest.check(kind, path)
    logger.info("%s: verified on %d images, largest difference %s", path.name, len(images), largest)
    return largest


def _export(config: ExportOptions, model: Exportable, path: Path) -> None:
    deployed = model.deployed(fold=config.fold, pixels=config.input_type == "uint8", half=config.precision == "fp16")
    require_space(path.parent, sum(parameter.nbytes for parameter in deployed.get_parameters()))
    with plain_path(path.parent) as folder:
        plain = folder / f"network{path.suffix}"
        if config.file_format == "ONNX":
            names = [output.name for output in model.outputs]
            write_onnx(deployed, _example(config, model, 1), plain, config.batch_size, names)
        elif config.file_format == "MINDIR":
            write_mindir(deployed, _example(config, model, config.batch_size), plain)
        else:
            ms.export(deployed, _example(config, model, config.batch_size), file_name=str(plain), file_format="AIR")
        plain.replace(path)


def _example(config: ExportOptions, model: Exportable, batch_size: int) -> ms.Tensor:
    """Return zeros of the input's shape and type, or for batch size 0 a tensor with an open batch and no values."""
    image = image_shape(model.preprocess.size, config.input_type)
    if batch_size == 0:
        return ms.Tensor(shape=[None, *image], dtype=getattr(ms, config.input_type))
    return ms.Tensor(np.zeros([batch_size, *image], config.input_type))

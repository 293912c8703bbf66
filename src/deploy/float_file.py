"""Write a network as a float MINDIR, ONNX or AIR file, and verify it."""

from __future__ import annotations

import logging
from pathlib import Path

import mindspore as ms
import numpy as np

from src.config import ExportConfig
from src.deploy.batches import batches
from src.deploy.deployed_network import DeployedNetwork, as_input, image_shape
from src.deploy.folding import folded
from src.deploy.mindir_file import write_mindir
from src.deploy.onnx_file import write_onnx
from src.deploy.verification import TOLERANCE, check_difference, difference, verification_pixels
from src.models import LoadedModel
from src.runtime.files import plain_path, require_space

logger = logging.getLogger(__name__)


def write_float(config: ExportConfig, model: LoadedModel, path: Path) -> float | None:
    """Write and verify a float file.

    Returns:
        The largest difference between its logits and the network's, as a share of the largest logit. None for a format
        that cannot be loaded again.

    Raises:
        UserError: the difference is too large, an image cannot be read, or a package is missing.
    """
    images = verification_pixels(model.preprocess, config.images)
    reference = [
        (as_input(crops, model.preprocess, config.input_type), _logits(model, crops))
        for crops in batches(images, config.batch_size)
    ]
    _export(config, model, path)
    if (config.file_format, config.precision) not in TOLERANCE:
        logger.info("%s cannot be loaded again to verify it", path.name)
        return None
    largest = max(difference(path, batch, logits) for batch, logits in reference)
    check_difference(largest, TOLERANCE[config.file_format, config.precision], path)
    logger.info(
        "%s: verified on %d images, largest difference %.1e of the largest logit", path.name, len(images), largest
    )
    return float(f"{largest:.2g}")


def _logits(model: LoadedModel, crops: np.ndarray) -> np.ndarray:
    return model.network(ms.Tensor(model.preprocess.normalize(crops))).asnumpy()


def _export(config: ExportConfig, model: LoadedModel, path: Path) -> None:
    network = folded(model.network) if config.fold else model.network
    pixels, half = config.input_type == "uint8", config.precision == "fp16"
    deployed = DeployedNetwork(network, model.preprocess, pixels=pixels, half=half)
    require_space(path.parent, sum(parameter.nbytes for parameter in deployed.get_parameters()))
    with plain_path(path.parent) as folder:
        plain = folder / f"network{path.suffix}"
        if config.file_format == "ONNX":
            write_onnx(deployed, _example(config, model, 1), plain, config.batch_size)
        elif config.file_format == "MINDIR":
            write_mindir(deployed, _example(config, model, config.batch_size), plain)
        else:
            ms.export(deployed, _example(config, model, config.batch_size), file_name=str(plain), file_format="AIR")
        plain.replace(path)


def _example(config: ExportConfig, model: LoadedModel, batch_size: int) -> ms.Tensor:
    """Return zeros of the input's shape and type, or for batch size 0 a tensor with an open batch and no values."""
    image = image_shape(model.preprocess.size, config.input_type)
    if batch_size == 0:
        return ms.Tensor(shape=[None, *image], dtype=getattr(ms, config.input_type))
    return ms.Tensor(np.zeros([batch_size, *image], config.input_type))

"""The files that an export writes may be earlier exports, and nothing else of the user."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError, safe_open

from src.config import ExportOptions
from src.deploy.ascend_converter import converter_files
from src.deploy.description import is_described, is_description
from src.errors import UserError
from src.runtime.files import check_output
from src.weights.ckpt import read_ckpt
from src.weights.readers import META_KEY

WEIGHT_FORMATS = ("SAFETENSORS", "CKPT")


def check_outputs(config: ExportOptions, path: Path) -> None:
    """Check that an export to `path` writes over no file that is read, and over none but earlier exports.

    Raises:
        UserError: it would.
    """
    read = (config.ckpt, config.model, config.images)
    if config.file_format in WEIGHT_FORMATS:
        check_output(path, is_exported_weights, *read)
        return
    description = path.with_suffix(".json")
    check_output(path, is_described, *read)
    check_output(description, is_description, *read)
    for file in converter_files(path) if config.soc_version else ():
        check_output(file, lambda _: is_description(description), *read)


def is_exported_weights(path: Path) -> bool:
    """Return whether a file holds weights as export.py writes them, and not the checkpoint of a training."""
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, "numpy") as file:
                return META_KEY in (file.metadata() or {})
        meta = read_ckpt(path)[1]
        return "architecture" in meta and "step" not in meta
    except (UserError, SafetensorError, OSError):
        return False

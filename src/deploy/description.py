"""The JSON beside a graph, which describes how to use it. Files with the same weights and name share one JSON."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from mindspore import nn

from src.config import ExportOptions
from src.deploy.deployed_network import INPUT, LAYOUTS, image_shape
from src.deploy.exportable import Exportable
from src.errors import UserError
from src.images.preprocess import Preprocess
from src.runtime.files import write_text
from src.runtime.texts import printable, read_json
from src.weights.names import timm_names, weights_of


def describe(model: Exportable, path: Path, config: ExportOptions, measured: dict[str, Any]) -> None:
    """Write the JSON beside the file at `path`, or add the file to an earlier JSON of the same network.

    Args:
        measured: further entries of the file, such as `largest_difference`.
    """
    description_path = path.with_suffix(".json")
    description = _network_entries(model)
    description["files"] = _files_of_same_network(description_path, description) | {
        printable(path.name): {
            "format": config.file_format,
            "precision": config.precision,
            "input": {
                "type": config.input_type,
                "layout": LAYOUTS[config.input_type],
                "shape": [config.batch_size or "batch", *image_shape(model.preprocess.size, config.input_type)],
            },
            "batch_size": config.batch_size or "any",
            "folded": config.fold,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            **measured,
        }
    }
    write_text(description_path, json.dumps(description, indent=2, ensure_ascii=False) + "\n")


def weights_hash(network: nn.Cell) -> str:
    """Return the SHA-256 of names and values of all weights, which is the same in every format and framework."""
    digest, parameters = hashlib.sha256(), weights_of(network)
    for name, timm_name in sorted(timm_names(network).items(), key=lambda pair: pair[1]):
        digest.update(timm_name.encode() + b"\0" + np.ascontiguousarray(parameters[name].asnumpy()).tobytes())
    return digest.hexdigest()


def preprocess_entry(preprocess: Preprocess, **geometry: Any) -> dict[str, Any]:
    """Return the entry `preprocess`: how an image is cut and scaled to pixels, and how these are normalized."""
    return {**geometry, "scale": 1 / 255, "mean": list(preprocess.mean), "std": list(preprocess.std)}


def _network_entries(model: Exportable) -> dict[str, Any]:
    """Return the part of the description that is the same for all files of a network."""
    return {
        "model": model.name,
        "input": {"name": INPUT, "size": model.preprocess.size, "color": "RGB"},
        **model.entries(),
        "macs": model.cost.macs,
        "parameters": model.cost.parameters,
        "weights_sha256": weights_hash(model.network),
        "files": {},
    }


def _files_of_same_network(path: Path, description: dict[str, Any]) -> dict[str, Any]:
    """Return the files that an earlier JSON lists, if its other entries are the same."""
    earlier = _read(path)
    return earlier["files"] if earlier | {"files": {}} == description else {}


def is_description(path: Path) -> bool:
    """Return whether a file is a JSON that `describe` has written."""
    return bool(_read(path))


def is_described(path: Path) -> bool:
    """Return whether the JSON beside a file lists it, as all files that are exported with a graph are."""
    return printable(path.name) in _read(path.with_suffix(".json")).get("files", {})


def _read(path: Path) -> dict[str, Any]:
    """Return a JSON that `describe` has written; an empty one for any other file."""
    try:
        content = read_json(path)
    except (OSError, UserError):
        return {}
    is_own = isinstance(content, dict) and "weights_sha256" in content and isinstance(content.get("files"), dict)
    return content if is_own else {}

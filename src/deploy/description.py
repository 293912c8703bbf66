"""The JSON beside a graph: what a program needs to feed it. Formats exported from the same weights share one."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from mindspore import nn

from src.config import ExportConfig
from src.deploy.deployed_network import INPUT, LAYOUTS, OUTPUT, input_shape
from src.design.cost import total_cost
from src.models import LoadedModel
from src.runtime.files import atomic_write
from src.weights.names import timm_names, weights_of


def describe(model: LoadedModel, path: Path, config: ExportConfig, measured: dict[str, Any]) -> None:
    """Write the JSON beside the file at `path`, or add the file to it.

    `measured` is what was found out about the file, such as its largest_difference.
    """
    description_path = path.with_suffix(".json")
    description = _of_network(model)
    batch = config.batch_size or "batch"
    description["files"] = _files_of_same_network(description_path, description) | {
        path.name: {
            "format": config.file_format,
            "precision": config.precision,
            "input": {
                "type": config.input_type,
                "layout": LAYOUTS[config.input_type],
                "shape": input_shape(batch, model.preprocess.size, config.input_type),
            },
            "batch_size": config.batch_size or "any",
            "folded": config.fold,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            **measured,
        }
    }
    with atomic_write(description_path) as temporary:
        temporary.write_text(json.dumps(description, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def weights_hash(network: nn.Cell) -> str:
    """SHA-256 over names and values of all weights, the same for every format and framework."""
    digest, parameters = hashlib.sha256(), weights_of(network)
    for name, timm_name in sorted(timm_names(network).items(), key=lambda pair: pair[1]):
        digest.update(timm_name.encode() + b"\0" + np.ascontiguousarray(parameters[name].asnumpy()).tobytes())
    return digest.hexdigest()


def _of_network(model: LoadedModel) -> dict[str, Any]:
    """What all files of a network have in common."""
    side, classes = model.preprocess.size, model.network.num_classes
    cost = total_cost(model.network.architecture.at(side), classes)
    return {
        "model": model.name,
        "input": {"name": INPUT, "size": side, "color": "RGB"},
        "output": {"name": OUTPUT, "shape": ["batch", classes], "type": "float32"},
        "preprocess": {
            "resize": {"short_side": model.preprocess.resize, "interpolation": "bicubic", "antialias": True},
            "crop": {"size": side, "position": "centre", "crop_pct": model.preprocess.crop_pct},
            "scale": 1 / 255,
            "mean": list(model.preprocess.mean),
            "std": list(model.preprocess.std),
        },
        "num_classes": classes,
        "classes": list(model.classes),
        "macs": cost.macs,
        "parameters": cost.parameters,
        "weights_sha256": weights_hash(model.network),
        "files": {},
    }


def _files_of_same_network(path: Path, description: dict[str, Any]) -> dict[str, Any]:
    """The files that a JSON of an earlier export lists, when nothing else in it has changed since."""
    try:
        earlier = json.loads(path.read_text(encoding="utf-8"))
        files = earlier["files"]
        same = earlier | {"files": {}} == description
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return files if same else {}

"""What export.py does: one network to MINDIR, ONNX, AIR or plain weights, verified, described by a JSON beside it."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mindspore as ms
import numpy as np
from mindspore import nn

from src import device
from src.ckpt import save_ckpt
from src.compat import export_onnx
from src.config import ExportConfig
from src.deploy.verification import TOLERANCE, difference, verification_images
from src.design.cost import total_cost
from src.errors import UserError
from src.files import written_beside
from src.models import LoadedModel, load_model
from src.training.reporting import log_to
from src.weights import save_safetensors, timm_names, weights_of

logger = logging.getLogger(__name__)

INPUT, OUTPUT = "image", "logits"
SUFFIXES = {"MINDIR": ".mindir", "ONNX": ".onnx", "AIR": ".air", "SAFETENSORS": ".safetensors", "CKPT": ".ckpt"}


def export_checkpoint(config: ExportConfig) -> Path:
    """Write the file, beside a graph its description, and return the file's path.

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
    images = verification_images(model.preprocess, config.images)
    writers: dict[str, Callable[[LoadedModel, Path, int], None]] = {
        "MINDIR": _write_mindir,
        "ONNX": _write_onnx,
        "AIR": _write_air,
    }
    with written_beside(path) as temporary, tempfile.TemporaryDirectory() as folder:
        reference = [(batch, model.network(ms.Tensor(batch)).asnumpy()) for batch in batches(images, config.batch_size)]
        plain = Path(folder) / f"network{path.suffix}"  # MindSpore refuses paths with a space, among others
        writers[config.file_format](model, plain, config.batch_size)
        shutil.move(plain, temporary)
        found = None
        if config.file_format in TOLERANCE:
            found = max(difference(temporary, batch, logits) for batch, logits in reference)
            allowed = TOLERANCE[config.file_format]
            if not found <= allowed:
                raise UserError(f"{path} was not written: its logits differ by {found:.1e}, more than {allowed:.0e}")
    describe(model, path, config, found)
    proof = "cannot be loaded again to verify it"
    if found is not None:
        proof = f"verified on {len(images)} images, largest difference {found:.1e} of the largest logit"
    logger.info("%s: %.2f MB, %s", path, path.stat().st_size / 1e6, proof)
    return path


def batches(images: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """All images in batches of `batch_size`, the last one filled up from the front; 0: all at once, then one alone."""
    if batch_size == 0:
        return [images, images[:1]]
    starts = range(0, len(images), batch_size)
    return [images[np.arange(start, start + batch_size) % len(images)] for start in starts]


def output_path(config: ExportConfig, model: LoadedModel) -> Path:
    """FILE_NAME with the format's suffix, added when it is not there."""
    base, suffix = config.file_name or Path(model.name), SUFFIXES[config.file_format]
    if base.name in ("", ".."):
        raise UserError(f"file_name is {base}, a folder; give the path of a file, such as {base / model.name}")
    return base if base.suffix == suffix else base.with_name(base.name + suffix)


def describe(model: LoadedModel, path: Path, config: ExportConfig, found: float | None) -> None:
    """Write what a program needs to feed the file. Formats exported from the same weights share one JSON."""
    description_path = path.with_suffix(".json")
    side, classes = model.preprocess.size, model.network.num_classes
    cost = total_cost(model.network.architecture.at(side), classes)
    description: dict[str, Any] = {
        "model": model.name,
        "input": {
            "name": INPUT,
            "shape": ["batch", 3, side, side],
            "layout": "NCHW",
            "type": "float32",
            "color": "RGB",
        },
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
    description["files"] = _files_of_same_network(description_path, description) | {
        path.name: {
            "format": config.file_format,
            "batch_size": config.batch_size or "any",
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "largest_difference": None if found is None else float(f"{found:.2g}"),
        }
    }
    with written_beside(description_path) as temporary:
        temporary.write_text(json.dumps(description, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def weights_hash(network: nn.Cell) -> str:
    """SHA-256 over names and values of all weights, the same for every format and framework."""
    digest, parameters = hashlib.sha256(), weights_of(network)
    for name, timm_name in sorted(timm_names(network).items(), key=lambda pair: pair[1]):
        digest.update(timm_name.encode() + b"\0" + np.ascontiguousarray(parameters[name].asnumpy()).tobytes())
    return digest.hexdigest()


def _files_of_same_network(path: Path, description: dict[str, Any]) -> dict[str, Any]:
    """The files that a JSON of an earlier export lists, when nothing else in it has changed since."""
    try:
        earlier = json.loads(path.read_text(encoding="utf-8"))
        files = earlier["files"]
        same = earlier | {"files": {}} == description
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return files if same else {}


def _save_weights(model: LoadedModel, path: Path) -> Path:
    if path.suffix == ".safetensors":
        save_safetensors(model.network, path)
    else:
        meta = {"model": model.name, "classes": list(model.classes), "preprocess": model.preprocess.as_dict()}
        meta |= {key: value for key, value in model.weights.meta.items() if key == "bn_epsilon"}
        save_ckpt({name: p.asnumpy() for name, p in weights_of(model.network).items()}, path, meta)
    logger.info("%s: %.2f MB", path, path.stat().st_size / 1e6)
    return path


def _blank(model: LoadedModel, batch_size: int) -> ms.Tensor:
    side = model.preprocess.size
    return ms.Tensor(np.zeros((batch_size, 3, side, side), np.float32))


def _write_mindir(model: LoadedModel, path: Path, batch_size: int) -> None:
    side = model.preprocess.size
    images = _blank(model, batch_size) if batch_size else ms.Tensor(shape=[None, 3, side, side], dtype=ms.float32)
    ms.export(model.network, images, file_name=str(path), file_format="MINDIR")


def _write_air(model: LoadedModel, path: Path, batch_size: int) -> None:
    ms.export(model.network, _blank(model, batch_size), file_name=str(path), file_format="AIR")


def _write_onnx(model: LoadedModel, path: Path, batch_size: int) -> None:
    """Export for one image and declare the batch afterwards: nothing in the graph depends on it."""
    try:
        import onnx
    except ImportError:
        raise UserError('file_format ONNX needs the onnx packages; `pip install "onnx" "onnxruntime"`') from None
    export_onnx(model.network, _blank(model, 1), path, INPUT, OUTPUT)
    graph = onnx.load(path)
    for value in (graph.graph.input[0], graph.graph.output[0]):
        batch = value.type.tensor_type.shape.dim[0]
        if batch_size:
            batch.dim_value = batch_size
        else:
            batch.dim_param = "batch"
    onnx.checker.check_model(graph, full_check=True)
    onnx.save(graph, path)

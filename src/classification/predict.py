"""The action of predict.py: the most probable classes of images, as text, JSON or a sheet of pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from src.classification.classes import class_names
from src.classification.metrics import best_classes, predict_logits
from src.classification.sheet import FLAG, draw_sheet
from src.config import PredictConfig
from src.errors import UserError
from src.images.decoding import decode_error
from src.images.folder import list_images
from src.kernels.library import choose_kernels
from src.models import load_model
from src.networks.layers import use_native_kernels
from src.runtime import device
from src.runtime.figures import check_picture_path
from src.runtime.logs import log_to
from src.runtime.texts import printable
from src.runtime.workers import worker_count

MOST_NAMED = 5  # unreadable images in an error line


def predict_images(config: PredictConfig) -> list[dict[str, Any]]:
    """Predict and print. Return `{"image": path, "top": [{"class", "index", "probability"}, ...]}` of each image.

    Images that cannot be read are named at the end, after the others are done.

    Raises:
        UserError: images or weights are missing, do not fit, or cannot be read.
    """
    log_to()
    files = find_images(config.images)
    if config.sheet:
        check_picture_path(config.sheet, FLAG)
    faults = {path: fault for path in files if (fault := decode_error(path))}
    good = [path for path in files if path not in faults]
    results = _predict(config, good) if good else []
    if faults:
        named = "; ".join(f"{path}: {fault}" for path, fault in list(faults.items())[:MOST_NAMED])
        raise UserError(f"{len(faults)} of {len(files)} images cannot be read: {named}")
    return results


def find_images(paths: tuple[Path, ...]) -> list[str]:
    """Return files as they are given, and all images below folders.

    Raises:
        UserError: no paths are given, a path does not exist, or a folder holds no images.
    """
    if not paths:
        raise UserError("no images: name some, or folders of them, such as `predict.py --ckpt FILE photo.jpg`")
    files: list[str] = []
    for path in paths:
        if path.is_file():
            files.append(str(path))
            continue
        if not path.is_dir():  # a pipe would be waited for
            raise UserError(f"there is no image or folder {path}")
        listing = list_images(path)
        listing.log_left_out()
        if not listing.images:
            raise UserError(f"folder {path} holds no images")
        files += listing.images
    return files


def top_classes(logits: np.ndarray, names: list[str], count: int) -> list[dict[str, Any]]:
    """Return the `count` most probable classes of one image, from its logits (classes,), best first."""
    (best,), (probabilities,) = best_classes(logits[None], count)
    pairs = zip(best.tolist(), probabilities.tolist(), strict=True)
    return [{"class": names[index], "index": index, "probability": probability} for index, probability in pairs]


def _predict(config: PredictConfig, files: list[str]) -> list[dict[str, Any]]:
    device.setup(config.device_target, config.device_id)
    choose_kernels(config.cpu_kernels)
    model = load_model(config, config.crop_pct)
    use_native_kernels(model.network)
    names = class_names(model, config.labels)
    workers = worker_count(config.workers)
    results: list[dict[str, Any]] = []
    for logits in predict_logits(model.network, files, model.preprocess, config.batch_size, workers=workers):
        for row in logits:
            results.append({"image": files[len(results)], "top": top_classes(row, names, config.top_k)})
    if config.as_json:
        print(json.dumps(results))  # ASCII: a terminal, or a name, may not be UTF-8
    else:
        for result in results:
            best = ", ".join(f"{entry['class']} {entry['probability']:.1%}" for entry in result["top"])
            print(printable(f"{result['image']}: {best}"))
    if config.sheet:
        draw_sheet(results, names, config.sheet)
    return results

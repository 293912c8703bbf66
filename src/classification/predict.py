"""The action of predict.py: the most probable classes of images, as text, JSON or a sheet of pictures."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from src.classification.classes import class_names
from src.classification.metrics import best_classes, predict_logits
from src.classification.sheet import draw_sheet
from src.config import PredictConfig
from src.images.inputs import find_images, read_sizes
from src.images.sheet import FLAG
from src.kernels.library import choose_kernels
from src.models import load_model
from src.networks.layers import use_native_kernels
from src.runtime import device
from src.runtime.figures import check_picture_path
from src.runtime.logs import log_to
from src.runtime.texts import printable
from src.runtime.workers import worker_count

EXAMPLE = "predict.py --ckpt FILE photo.jpg"


def predict_images(config: PredictConfig) -> list[dict[str, Any]]:
    """Predict and print. Return `{"image": path, "top": [{"class", "index", "probability"}, ...]}` of each image.

    Images that cannot be read are named at the end, after the others are done.

    Raises:
        UserError: images or weights are missing, do not fit, or cannot be read.
    """
    log_to()
    files = find_images(config.images, EXAMPLE)
    if config.sheet:
        check_picture_path(config.sheet, FLAG)
    inputs = read_sizes(files)
    results = _predict(config, inputs.files) if inputs.files else []
    inputs.check()
    return results


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

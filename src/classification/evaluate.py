"""What eval.py does: a checkpoint scored on a data set's validation images."""

from __future__ import annotations

import json
from dataclasses import asdict

from src.classification.metrics import Metrics, evaluate
from src.config import EvalConfig
from src.errors import UserError
from src.images.folder import HOW_TO_GET_DATA, ImageFolder, check_images, open_split, resolve_data_path
from src.models import HOW_TO_GET_WEIGHTS, LoadedModel, load_model
from src.runtime import device
from src.runtime.logs import log_to
from src.runtime.workers import usable_workers


def evaluate_checkpoint(config: EvalConfig) -> Metrics:
    """Score and print.

    Raises:
        UserError: missing or unfit weights, missing or bad data, classes that do not agree.
    """
    log_to()
    if config.ckpt is None and config.data_path is None:
        raise UserError(f"ckpt and data_path are missing: {HOW_TO_GET_WEIGHTS}; {HOW_TO_GET_DATA}")
    device.setup(config.device_target, config.device_id)
    model = load_model(config, config.crop_pct)
    folder = open_split(resolve_data_path(config.data_path), "val")
    check_same_classes(model, folder)
    workers = usable_workers(config.workers)
    check_images([folder], config.check_data, workers)
    result = evaluate(model.network, folder.files, folder.labels, model.preprocess, config.batch_size, workers=workers)
    print(
        f"{model.name} at {model.preprocess.size} px: {result.images:,} images, "
        f"top-1 {result.top1:.3f} %, top-5 {result.top5:.3f} %, loss {result.loss:.4f}"
    )
    if config.as_json:
        print(json.dumps({"model": model.name, **asdict(result)}))
    return result


def check_same_classes(model: LoadedModel, folder: ImageFolder) -> None:
    """The folder's classes must be those of the weights, by name where the weights say names, else by number.

    Raises:
        UserError: naming the difference.
    """
    if model.classes and model.classes != folder.classes:
        strange = sorted(set(folder.classes) ^ set(model.classes))[:3]
        raise UserError(
            f"{folder.root} has other classes than {model.weights.path} was trained on, such as {', '.join(strange)}"
        )
    if model.network.num_classes != len(folder.classes):
        raise UserError(
            f"{folder.root} holds {len(folder.classes)} classes, {model.weights.path} knows {model.network.num_classes}"
        )

"""The action of eval.py: score a checkpoint on the validation images of a data set."""

from __future__ import annotations

import json
from dataclasses import asdict

from src.classification.classes import check_same_classes
from src.classification.metrics import Metrics, evaluate
from src.config import EvalConfig
from src.errors import UserError
from src.images.check import check_images
from src.images.data_path import HOW_TO_GET_DATA, open_split, resolve_data_path
from src.models import HOW_TO_GET_WEIGHTS, load_model
from src.runtime import device
from src.runtime.logs import log_to
from src.runtime.workers import worker_count


def evaluate_checkpoint(config: EvalConfig) -> Metrics:
    """Score the weights and print the result.

    Raises:
        UserError: weights or data are missing or damaged, or their classes differ.
    """
    log_to()
    if config.ckpt is None and config.data_path is None:
        raise UserError(f"ckpt and data_path are missing: {HOW_TO_GET_WEIGHTS}; {HOW_TO_GET_DATA}")
    device.setup(config.device_target, config.device_id)
    model = load_model(config, config.crop_pct)
    images = open_split(resolve_data_path(config.data_path), "val")
    check_same_classes(model, images)
    workers = worker_count(config.workers)
    check_images([images], config.check_data, workers)
    result = evaluate(model.network, images.files, images.labels, model.preprocess, config.batch_size, workers=workers)
    print(
        f"{model.name} at {model.preprocess.size} px: {result.images:,} images, "
        f"top-1 {result.top1:.3f} %, top-5 {result.top5:.3f} %, loss {result.loss:.4f}"
    )
    if config.as_json:
        print(json.dumps({"model": model.name, **asdict(result)}))
    return result

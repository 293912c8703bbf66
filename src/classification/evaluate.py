"""The action of eval.py: score weights on the validation images of a data set, one or several on the same images."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict

from src.classification.classes import numbered_as_trained
from src.classification.confusion import check_confusion, confusion_matrix, draw_confusion
from src.classification.metrics import Metrics, Scores, score_images
from src.classification.model_table import (
    Row,
    check_table_path,
    each_weights,
    print_table,
    source_of,
    write_table,
)
from src.classification.results import BEST, check_results_path, write_results
from src.config import EvalConfig
from src.errors import UserError
from src.images.check import check_images
from src.images.data_path import HOW_TO_GET_DATA, open_split, resolve_data_path
from src.images.faults import name_first
from src.images.image_set import ImageSet
from src.kernels.library import choose_kernels
from src.models import HOW_TO_GET_WEIGHTS, LoadedModel, load_model
from src.networks.layers import use_native_kernels
from src.runtime import device
from src.runtime.distributed import is_first
from src.runtime.logs import log_to
from src.runtime.workers import worker_count

logger = logging.getLogger(__name__)


def evaluate_weights(config: EvalConfig) -> list[Row]:
    """Score the weights that `config` names, and print the results.

    Raises:
        UserError: weights or data are missing or damaged, their classes differ, or a file cannot be written.
    """
    log_to()
    if config.ckpt is None and not config.pretrained:
        also_data = f"; {HOW_TO_GET_DATA}" if config.data_path is None else ""
        missing = "ckpt and data_path are" if also_data else "ckpt is"
        raise UserError(f"{missing} missing: {HOW_TO_GET_WEIGHTS}{also_data}")
    device.setup(config.device_target, config.device_id)
    choose_kernels(config.cpu_kernels)
    choices = each_weights(config)
    images = open_split(resolve_data_path(config.data_path), "val", config.class_order)
    if is_first():
        _check_outputs(config, len(choices), len(images.classes))
    return [_evaluate_one(choices[0], images)] if len(choices) == 1 else _evaluate_several(choices, images)


def _check_outputs(config: EvalConfig, weights: int, classes: int) -> None:
    """Check before long work that every file can be written.

    Raises:
        UserError: a file cannot be written.
    """
    for key in ("results", "confusion"):
        if getattr(config, key) and weights > 1:
            reason = f"{weights} weights are named, and it shows the evaluation of one"
            raise UserError(f"{key} is {getattr(config, key)}, but {reason}; take --table, or name one of them")
    if config.results:
        check_results_path(config.results)
    if config.confusion:
        check_confusion(classes, config.confusion)
    if config.table:
        check_table_path(config.table)


def _evaluate_one(config: EvalConfig, images: ImageSet) -> Row:
    model, images = _load(config, images)
    _check_images(config, images)
    is_listed = config.results or config.confusion
    scores = _score(config, images, model, top=min(BEST, len(images.classes)) if is_listed else 0)
    metrics = scores.metrics()
    row = Row.of(model, source_of(config), metrics)
    if is_first():
        if config.results:
            write_results(scores, images, config.results)
        if config.confusion:
            matrix = confusion_matrix(images.labels, scores.classes[:, 0], len(images.classes))
            draw_confusion(matrix, images.classes, config.confusion)
        if config.table:
            write_table([row], config.table)
        print(_summary(model, metrics))
        if config.as_json:
            print(json.dumps({"model": model.name, **asdict(metrics)}))
    return row


def _evaluate_several(choices: Sequence[EvalConfig], images: ImageSet) -> list[Row]:
    """Evaluate each of the weights; those that cannot be are named at the end.

    The images are listed and checked once. They are decoded again for each network: their crops of one size take 7 GB
    for ImageNet, and a small data set is decoded in seconds.

    Raises:
        UserError: some weights could not be evaluated, after all others were; or a file cannot be written.
    """
    config = choices[0]
    _check_images(config, images)
    rows: list[Row] = []
    faults: list[str] = []
    model: LoadedModel | None = None
    for choice in choices:
        try:
            model, numbered = _load(choice, images, model)
            metrics = _score(choice, numbered, model).metrics()
        except UserError as error:
            source = source_of(choice)
            faults.append(str(error) if source in str(error) else f"{source}: {error}")
            logger.warning("%s", faults[-1])
            continue
        rows = sorted([*rows, Row.of(model, source_of(choice), metrics)], key=lambda row: -row.top1)
        if is_first():
            logger.info("%s", _summary(model, metrics))
            if config.table:
                write_table(rows, config.table)
    if is_first():
        print_table(rows)
        if config.as_json:
            print(json.dumps([asdict(row) for row in rows]))
    if faults:
        raise UserError(f"{len(faults)} of {len(choices)} weights could not be evaluated: {name_first(faults, '; ')}")
    return rows


def _load(config: EvalConfig, images: ImageSet, before: LoadedModel | None = None) -> tuple[LoadedModel, ImageSet]:
    """Return the network of a choice, and the images with the numbers that it has for their classes."""
    model = load_model(config, config.crop_pct, before)
    use_native_kernels(model.network)
    return model, numbered_as_trained(model, images, config.class_order)


def _check_images(config: EvalConfig, images: ImageSet) -> None:
    check_images([images], config.check_data, worker_count(config.workers))


def _score(config: EvalConfig, images: ImageSet, model: LoadedModel, top: int = 0) -> Scores:
    files, labels, workers = images.files, images.labels, worker_count(config.workers)
    return score_images(model.network, files, labels, model.preprocess, config.batch_size, workers=workers, top=top)


def _summary(model: LoadedModel, metrics: Metrics) -> str:
    return (
        f"{model.name} at {model.preprocess.size} px: {metrics.images:,} images, "
        f"top-1 {metrics.top1:.3f} %, top-5 {metrics.top5:.3f} %, loss {metrics.loss:.4f}"
    )

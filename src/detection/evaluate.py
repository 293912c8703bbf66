"""The action of detect.py eval: COCO's numbers of a detector on the validation images of a data set."""

from __future__ import annotations

import json
import logging

from src.config import DetectEvalConfig, PostprocessOptions
from src.detection.coco import CocoSet
from src.detection.coco_scores import CocoScores, scoring_package
from src.detection.coco_text import describe_scores
from src.detection.faults import check_coco
from src.detection.finding import find_objects, score_objects, write_results
from src.detection.layout import open_coco, resolve_coco_path
from src.detection.network import BoxesAndScores
from src.detection.picture import FLAG, draw_evaluation
from src.detection.postprocess import Rule
from src.detection.weights import LoadedDetector, load_detector
from src.errors import UserError
from src.kernels.library import choose_kernels
from src.networks.layers import use_native_kernels
from src.runtime import device
from src.runtime.distributed import is_first
from src.runtime.figures import check_picture_path
from src.runtime.files import check_replaceable
from src.runtime.logs import log_to
from src.runtime.workers import worker_count

logger = logging.getLogger(__name__)


def evaluate_detector(config: DetectEvalConfig) -> CocoScores:
    """Score the detector that `config` names, and print the results.

    Raises:
        UserError: weights, data or a package are missing, weights or data damaged, their categories differ, or a file
            cannot be written.
    """
    log_to()
    scoring_package()
    root = resolve_coco_path(config.data_path)
    device.setup(config.device_target, config.device_id)
    choose_kernels(config.cpu_kernels)
    loaded = load_detector(config)
    images = open_coco(root, "val", config.val_json, config.val_images)
    check_same_categories(images, loaded)
    if is_first():
        _check_outputs(config)
    workers = worker_count(config.workers)
    check_coco([images], config.check_data, workers)
    network, rule = BoxesAndScores(loaded.network).set_train(False), rule_of(config)
    use_native_kernels(network)
    found = find_objects(network, images, loaded.preprocess, config.batch_size, rule, workers=workers)
    scores = score_objects(images, found)
    if is_first():
        if config.results:
            write_results(config.results, images, found)
        if config.plot:
            draw_evaluation(scores, images, found, config.plot)
        print(f"{describe_scores(scores)}\nrule: {rule}")
        if config.as_json:
            numbers = {"model": loaded.network.architecture.name, "images": scores.images, **scores.numbers}
            print(json.dumps({**numbers, "classes": scores.classes, "rule": str(rule)}))
    return scores


def rule_of(options: PostprocessOptions) -> Rule:
    """Return the rule of post-processing that the options describe."""
    return Rule(options.min_score, options.candidates, options.nms_overlap, options.max_objects)


def check_same_categories(images: CocoSet, loaded: LoadedDetector) -> None:
    """Compare the categories of the data with those that the detector was trained on.

    Raises:
        UserError: names or their order differ.
    """
    if images.names != loaded.classes:
        theirs, ours = (", ".join(names[:5]) for names in (loaded.classes, images.names))
        raise UserError(
            f"{loaded.weights.path} was trained on {len(loaded.classes)} categories ({theirs}, ...), {images.json} has "
            f"{len(images.names)} ({ours}, ...); expected the same in the same order of ids"
        )


def _check_outputs(config: DetectEvalConfig) -> None:
    """Check before long work that the files can be written.

    Raises:
        UserError: one of them cannot.
    """
    if config.results:
        check_replaceable(config.results, b'[{"image_id"', "does not hold detections")
    if config.plot:
        check_picture_path(config.plot, FLAG)

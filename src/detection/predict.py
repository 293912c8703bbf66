"""The action of detect.py predict: the objects of images, as text, JSON, copies with boxes or one sheet of pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from src.config import DetectPredictConfig
from src.detection.boxes import coco_boxes
from src.detection.drawing import DRAW_FLAG, copy_paths, draw_copies, draw_sheet
from src.detection.evaluate import rule_of
from src.detection.finding import predict_anchors
from src.detection.network import BoxesAndScores
from src.detection.postprocess import Detections, detect
from src.detection.weights import load_detector
from src.errors import UserError
from src.images.inputs import Inputs, find_images, read_sizes
from src.images.sheet import FLAG
from src.kernels.library import choose_kernels
from src.networks.layers import use_native_kernels
from src.runtime import device
from src.runtime.figures import check_picture_path
from src.runtime.logs import log_to
from src.runtime.texts import printable
from src.runtime.workers import worker_count

EXAMPLE = "detect.py predict --ckpt FILE photo.jpg"


def predict_objects(config: DetectPredictConfig) -> list[dict[str, Any]]:
    """Find and print the objects of images. Return a result of each, see `as_result`.

    Images that cannot be read are named at the end, after the others are done.

    Raises:
        UserError: images or weights are missing, do not fit, or cannot be read, or a picture cannot be written.
    """
    log_to()
    files = find_images(config.images, EXAMPLE)
    if config.sheet:
        check_picture_path(config.sheet, FLAG)
    inputs = read_sizes(files)
    copies = _copy_paths(config.draw, inputs.files) if config.draw else []
    results = _predict(config, inputs) if inputs.files else []
    if config.as_json:
        print(json.dumps(results))  # ASCII: a terminal, or a name, may not be UTF-8
    else:
        for result in results:
            print(printable(describe(result, config.show_score)))
    if config.draw:
        draw_copies(results, copies, config.show_score)
    if config.sheet and results:
        draw_sheet(results, config.sheet, config.show_score)
    inputs.check()
    return results


def as_result(file: str, size: tuple[int, int], found: Detections, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the objects of an image as plain values, by falling score.

    Classes count from 0, and name an entry of `names`; boxes are x, y, width and height in pixels of the image.
    """
    rows = zip(found.classes.tolist(), found.scores.tolist(), coco_boxes(found.boxes).tolist(), strict=True)
    objects = [
        {"class": label - 1, "name": names[label - 1], "score": score, "bbox": box} for label, score, box in rows
    ]
    return {"image": file, "width": size[0], "height": size[1], "objects": objects}


def describe(result: dict[str, Any], least: float) -> str:
    """Return a line with the objects of a score of at least `least`: name, score, and x, y, width and height."""
    shown = [each for each in result["objects"] if each["score"] >= least]
    words = [f"{each['name']} {each['score']:.1%} at {' '.join(f'{v:.0f}' for v in each['bbox'])}" for each in shown]
    return f"{result['image']}: {', '.join(words) or 'no objects'}"


def _predict(config: DetectPredictConfig, inputs: Inputs) -> list[dict[str, Any]]:
    device.setup(config.device_target, config.device_id)
    choose_kernels(config.cpu_kernels)
    loaded = load_detector(config)
    network, rule, preprocess = BoxesAndScores(loaded.network).set_train(False), rule_of(config), loaded.preprocess
    use_native_kernels(network)
    workers = worker_count(config.workers)
    predictions = predict_anchors(network, inputs.files, preprocess, config.batch_size, workers=workers)
    results = []
    for file, size, (boxes, scores) in zip(inputs.files, inputs.sizes, predictions, strict=True):
        found = detect(boxes, scores, rule).scaled(preprocess.size, *size)
        results.append(as_result(file, size, found, loaded.classes))
    return results


def _copy_paths(folder: Path, files: list[str]) -> list[Path]:
    """Return where the copies are written.

    Raises:
        UserError: matplotlib is not installed, or a file there is not one that this project drew.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{DRAW_FLAG} is {folder}, a file; name a folder, which may be new")
    paths = copy_paths(files, folder)
    for path in paths:
        check_picture_path(path, DRAW_FLAG)
    return paths

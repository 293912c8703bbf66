"""The work of postprocess.py: the accuracy of an inference program's results. It needs no framework."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from src.config import ScoreConfig
from src.detection.coco_scores import CocoScores
from src.errors import UserError
from src.scoring.detection import score_objects
from src.scoring.labels import GroundTruth, check_class_names, images_of_bin_names, images_of_paths, read_ground_truth
from src.scoring.objects import holds_objects
from src.scoring.results import Results, listed, read_results


@dataclass(frozen=True)
class Score:
    """Accuracy over all images of the ground truth. Images without result count as wrong."""

    images: int
    top1: float  # percent
    top5: float  # percent
    missing: int  # images without result


def score_results(config: ScoreConfig) -> Score | CocoScores:
    """Print the score of the results that the flags name, of a classifier or of a detector, and return it.

    Raises:
        UserError: results or ground truth are missing, cannot be read, or do not belong together.
    """
    if config.results is None:
        raise UserError("results is missing: give the JSON, CSV or .bin folder of tinynet_infer with --results PATH")
    if holds_objects(config.results):
        return score_objects(config, config.results)
    if config.val_json or config.val_images:
        raise UserError(
            f"val_json and val_images are for detectors, but {config.results} holds classes; leave them out"
        )
    truth = read_ground_truth(config)
    results = read_results(config.results, truth.num_classes)
    check_class_names(results.class_names, truth)
    result, missing = score(results, truth)
    if missing:
        print(f"no result for {listed(missing)}")
    print(
        f"{result.images:,} images, top-1 {result.top1:.3f} %, top-5 {result.top5:.3f} %, "
        f"{result.missing:,} without result"
    )
    if config.as_json:
        print(json.dumps(asdict(result)))
    return result


def score(results: Results, truth: GroundTruth) -> tuple[Score, list[str]]:
    """Return the score and the images without a usable result.

    Raises:
        UserError: results are for other images, or two results are for the same image.
    """
    images = (images_of_bin_names if results.from_bins else images_of_paths)(results.images, truth)
    top = dict(zip(images, results.top, strict=True))
    missing = [image for image in truth.labels if not top.get(image)]
    top1 = sum(label in top.get(image, ())[:1] for image, label in truth.labels.items())
    top5 = sum(label in top.get(image, ())[:5] for image, label in truth.labels.items())
    count = len(truth.labels)
    return Score(count, 100 * top1 / count, 100 * top5 / count, len(missing)), missing

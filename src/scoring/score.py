"""The work of postprocess.py: the accuracy of an inference program's results. It needs no framework."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from src.config import ScoreConfig
from src.errors import UserError
from src.scoring.labels import GroundTruth, images_of_bin_names, images_of_paths, read_ground_truth
from src.scoring.results import Results, read_results

LISTED_IMAGES = 5  # images without result that are listed by name


@dataclass(frozen=True)
class Score:
    """Accuracy over all images of the ground truth. Images without result count as wrong."""

    images: int
    top1: float  # percent
    top5: float  # percent
    missing: int  # images without result


def score_results(config: ScoreConfig) -> Score:
    """Print the score of the results that the flags name, and return it.

    Raises:
        UserError: results or ground truth are missing, cannot be read, or do not belong together.
    """
    if config.results is None:
        raise UserError("results is missing: give the JSON, CSV or .bin folder of tinynet_infer with --results PATH")
    truth = read_ground_truth(config)
    results = read_results(config.results, truth.num_classes)
    check_class_names(results, truth)
    result, missing = score(results, truth)
    if missing:
        more = f" and {len(missing) - LISTED_IMAGES} more" if len(missing) > LISTED_IMAGES else ""
        print(f"no result for {', '.join(missing[:LISTED_IMAGES])}{more}")
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


def check_class_names(results: Results, truth: GroundTruth) -> None:
    """Check that the class names of the results have the same indices in the ground truth.

    Names that the ground truth does not have are ignored.

    Raises:
        UserError: a class has another index, or an index is too large.
    """
    for index, name in sorted(results.class_names.items()):
        if truth.num_classes is not None and index >= truth.num_classes:
            raise UserError(f"the results have a class {index}, {truth.source} has {truth.num_classes} classes")
        if name in truth.classes and truth.classes[index] != name:
            raise UserError(
                f"the results call class {index} {name!r}, {truth.source} calls it {truth.classes[index]!r}; "
                "the classes must agree"
            )

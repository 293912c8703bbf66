"""COCO's twelve numbers of detections, and the AP of each class, by the package faster-coco-eval."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

from src.detection.coco import CocoSet
from src.errors import UserError

NAMES = (  # in the order of the package
    *("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large"),
    *("ar1", "ar10", "ar100", "ar_small", "ar_medium", "ar_large"),
)
NO_TRUTH = -1.0  # of a number that has no objects to be computed from
ALL_SIZES, MOST_DETECTIONS = 0, -1  # in the package's table of precisions: recall, class, size, detections


@dataclass(frozen=True)
class CocoScores:
    """Scores in percent; -1 where no object has the size or class.

    `numbers` has COCO's names: `ap` is the mean over IoU 0.50 to 0.95 and the classes that have objects; `ap_small` is
    of objects below 32 x 32 pixels; `ar10` is the recall of ten detections an image. `classes`: AP by name. `curves`:
    precision at recall 0, 1, ... 100 %, the mean over classes, by IoU; empty if there are no objects.
    """

    images: int
    numbers: dict[str, float]
    classes: dict[str, float] = field(default_factory=dict)
    curves: dict[str, list[float]] = field(default_factory=dict)


def scoring_package() -> ModuleType:
    """Return faster-coco-eval. Long work that ends with scores calls this first.

    Raises:
        UserError: it is not installed.
    """
    try:
        import faster_coco_eval
    except ImportError:
        raise UserError("to score detections needs faster-coco-eval; `pip install '.[detect]'`") from None
    return faster_coco_eval


def score_detections(images: CocoSet, detections: np.ndarray) -> CocoScores:
    """Score detections on all images of a data set, with crowds and images without objects as COCO has them.

    Args:
        images: the truth.
        detections: float64 (n, 7): id of the image, x, y, width, height in pixels, score, id of the category.

    Raises:
        UserError: faster-coco-eval is not installed.
    """
    package = scoring_package()
    truth = package.COCO(_truth(images), print_function=_say_nothing)
    found = truth.loadRes(np.asarray(detections, np.float64).reshape(-1, 7))
    run = package.COCOeval_faster(truth, found, "bbox", print_function=_say_nothing)
    run.evaluate()
    run.accumulate()
    run.summarize()
    numbers = {name: _percent(value) for name, value in zip(NAMES, run.stats.tolist(), strict=True)}
    precision = run.eval["precision"][:, :, :, ALL_SIZES, MOST_DETECTIONS]
    classes = {name: _class_score(precision[:, :, index]) for index, name in enumerate(images.names)}
    return CocoScores(len(images), numbers, classes, _curves(precision))


def _truth(images: CocoSet) -> dict[str, Any]:
    """Return the data set as the package takes it. Ids of annotations are new: it takes the id 0 for no match."""
    annotations = [
        {
            "id": number,
            "image_id": row["image_id"],
            "category_id": row["category_id"],
            "bbox": list(row["bbox"]),
            "area": row.get("area", row["bbox"][2] * row["bbox"][3]),
            "iscrowd": row.get("iscrowd", 0),
        }
        for number, row in enumerate(images.annotations, 1)
    ]
    return {"images": list(images.rows), "annotations": annotations, "categories": list(images.categories)}


def _class_score(precision: np.ndarray) -> float:
    """Return the AP of one class from its precision at each IoU and recall; -1 marks what has no truth."""
    known = precision[precision > NO_TRUTH]
    return _percent(known.mean()) if known.size else NO_TRUTH


def _curves(precision: np.ndarray) -> dict[str, list[float]]:
    """Return the mean precision of the classes that have truths, from (10 IoUs, 101 recalls, classes)."""
    known = precision[:, :, (precision > NO_TRUTH).all((0, 1))]
    if not known.shape[2]:
        return {}
    mean = 100 * known.mean(2)
    rows = {"IoU 0.50": mean[0], "IoU 0.75": mean[5], "mean of 0.50 to 0.95": mean.mean(0)}
    return {name: row.tolist() for name, row in rows.items()}


def _percent(value: float) -> float:
    return NO_TRUTH if value < 0 else 100 * float(value)


def _say_nothing(*_: Any) -> None:
    pass

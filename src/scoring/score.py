"""What postprocess.py does: results of an inference program held against the truth. Needs no framework."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from src.config import ScoreConfig
from src.errors import UserError
from src.scoring.labels import Truth, match, read_truth
from src.scoring.results import Results, read_results

SHOWN = 5  # images without result that are named


@dataclass(frozen=True)
class Score:
    """`top1` and `top5` in percent of all `images` of the truth; the `missing` ones count as wrong."""

    images: int
    top1: float
    top5: float
    missing: int


def score_results(config: ScoreConfig) -> Score:
    """Score and print.

    Raises:
        UserError: results or truth missing, unreadable, or not of each other.
    """
    if config.results is None:
        raise UserError("results is missing: give the JSON, CSV or .bin folder of tinynet_infer with --results PATH")
    truth = read_truth(config)
    results = read_results(config.results, truth.count)
    check_names(results, truth)
    result, missing = score(results, truth)
    if missing:
        more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        print(f"no result for {', '.join(missing[:SHOWN])}{more}")
    print(
        f"{result.images:,} images, top-1 {result.top1:.3f} %, top-5 {result.top5:.3f} %, "
        f"{result.missing:,} without result"
    )
    if config.as_json:
        print(json.dumps(asdict(result)))
    return result


def score(results: Results, truth: Truth) -> tuple[Score, list[str]]:
    """The score, and the images that have no usable result.

    Raises:
        UserError: results of other images, or two of one.
    """
    top = dict(zip(match(results.images, truth, results.cut), results.top, strict=True))
    missing = [name for name in truth.labels if not top.get(name)]
    right = [sum(label in top.get(name, ())[:best] for name, label in truth.labels.items()) for best in (1, 5)]
    count = len(truth.labels)
    return Score(count, 100 * right[0] / count, 100 * right[1] / count, len(missing)), missing


def check_names(results: Results, truth: Truth) -> None:
    """A program that names the classes as the truth does must number them so too; other names are let pass.

    Raises:
        UserError: naming the first difference.
    """
    for index, name in sorted(results.class_names.items()):
        if truth.count is not None and index >= truth.count:
            raise UserError(f"the results name a class {index}, {truth.source} has {truth.count}")
        if name in truth.classes and truth.classes[index] != name:
            raise UserError(
                f"the results call class {index} {name!r}, {truth.source} calls it {truth.classes[index]!r}; "
                "the classes must agree"
            )

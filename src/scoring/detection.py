"""COCO's numbers of the objects that an inference program has found."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import numpy as np

from src.config import ScoreConfig
from src.detection.coco import CocoSet
from src.detection.coco_scores import CocoScores, score_detections
from src.detection.coco_text import describe_scores
from src.detection.layout import open_coco, resolve_coco_path
from src.errors import UserError
from src.runtime.texts import printable
from src.scoring.labels import GroundTruth, check_class_names, image_of_path, read_description, without_duplicates
from src.scoring.objects import FoundObjects, read_objects
from src.scoring.results import listed


def score_objects(config: ScoreConfig, results: Path) -> CocoScores:
    """Print COCO's numbers of a detector's results, and return them.

    Raises:
        UserError: results or data are missing, cannot be read, or do not belong together.
    """
    if config.label_file is not None:
        raise UserError(f"label_file is for classifiers, but {results} holds objects; give --data_path instead")
    images = open_coco(resolve_coco_path(config.data_path), "val", config.val_json, config.val_images)
    entries = read_objects(results)
    check_classes(images, entries, config.description)
    found, missing, unknown = match_images(images, entries)
    if not found:
        raise UserError(f"no image of {results} is in {images.json}; name the images that were run with --data_path")
    if unknown:
        print(f"not scored, because {images.json} does not name them: {listed(unknown)}")
    if missing:
        print(f"no result for {listed(missing)}")
    scores = score_detections(images, as_table(images, found))
    print(f"{describe_scores(scores)}\n{len(missing):,} images without result")
    if config.as_json:
        print(
            json.dumps({"images": scores.images, **scores.numbers, "classes": scores.classes, "missing": len(missing)})
        )
    return scores


def match_images(
    images: CocoSet, entries: Iterable[FoundObjects]
) -> tuple[dict[int, FoundObjects], list[str], list[str]]:
    """Find the image of the data set that each result is for.

    The program may have read the folder by another path. So the image is the longest end of the path that the data set
    names.

    Returns:
        The results by position in the data set, the names of images without a usable result, and the paths of results
        for other images.

    Raises:
        UserError: two results are for the same image, or an image has another size than the data set says.
    """
    positions = {PurePosixPath(row["file_name"]).as_posix(): index for index, row in enumerate(images.rows)}
    pairs = [(entry, image_of_path(entry.image, positions)) for entry in entries]
    known = [(entry, name) for entry, name in pairs if name is not None]
    without_duplicates([entry.image for entry, _ in known], [name for _, name in known], images.json)
    found = {positions[name]: entry for entry, name in known if entry.objects is not None}
    for index, entry in found.items():
        row = images.rows[index]
        if (entry.width, entry.height) != (row["width"], row["height"]):
            raise UserError(
                f"{entry.image} has {entry.width} x {entry.height} pixels in the results, {images.json} says "
                f"{row['width']} x {row['height']}; run the images of this data set"
            )
    missing = [printable(row["file_name"]) for index, row in enumerate(images.rows) if index not in found]
    return found, missing, [printable(entry.image) for entry, name in pairs if name is None]


def check_classes(images: CocoSet, entries: Iterable[FoundObjects], description: Path | None) -> None:
    """Check that the classes of the results, and those of the model's JSON if it is given, are those of the data set.

    Raises:
        UserError: they differ in name, order or number.
    """
    classes = {each.index: each.name for entry in entries for each in entry.objects or ()}
    check_class_names(classes, GroundTruth(images.json, {}, images.names, len(images.names)))
    if description is not None and (theirs := read_description(description).classes) != images.names:
        first, second = (f"{len(names)} classes ({', '.join(names[:5])}, ...)" for names in (theirs, images.names))
        raise UserError(f"{description} has {first}, {images.json} has {second}; they must agree")


def as_table(images: CocoSet, found: dict[int, FoundObjects]) -> np.ndarray:
    """Return all objects as COCO counts them, float64 (n, 7): image id, x, y, width, height, score, category id."""
    rows = [
        (images.rows[index]["id"], *each.bbox, each.score, images.categories[each.index]["id"])
        for index, entry in sorted(found.items())
        for each in entry.objects or ()
    ]
    return np.array(rows, np.float64).reshape(-1, 7)

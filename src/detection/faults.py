"""Faults of a data set in COCO's format, found before the first epoch and named by file and id."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from io import BytesIO

from PIL import Image

from src.detection.coco import CocoSet, ImageRow, describe_image
from src.errors import UserError
from src.images.decoding import FORMATS, decode_error, has_complete_ends, reason
from src.images.faults import Check, find_faults, is_full_check, name_first

logger = logging.getLogger(__name__)

HOW_TO_LIST = "`--check_data full` decodes all images first"  # of `detect.py train` and `detect.py eval`
ORIENTATION = 0x0112  # EXIF's tag; 1: as stored, 5 to 8: turned by a quarter
ENDS = 64  # bytes
OUTSIDE = 1.0  # pixels that a box may be outside of its image without a word: annotators round


def check_coco(splits: Iterable[CocoSet], check: Check, workers: int) -> None:
    """Check boxes and image files of all splits.

    Raises:
        UserError: a file is missing, damaged or of another size than the JSON says, or a box is outside of its image.
    """
    for images in splits:
        _check_boxes(images)
        if check == "off":
            continue
        if faults := _file_faults(images, check, workers):
            raise UserError(
                f"{images.json}: {len(faults)} bad image{'s' * (len(faults) > 1)}: {name_first(faults, '; ')}; replace "
                "the files, or correct the JSON"
            )


def check_categories(train: CocoSet, val: CocoSet) -> None:
    """Compare the categories of both splits.

    Raises:
        UserError: an id has another name, or is missing in one of them.
    """
    first, second = ({row["id"]: row["name"] for row in images.categories} for images in (train, val))
    differing = [
        f"id {key} is {first.get(key, 'missing')!r} in {train.json} and {second.get(key, 'missing')!r} in {val.json}"
        for key in sorted(first.keys() | second.keys())
        if first.get(key) != second.get(key)
    ]
    if differing:
        raise UserError(f"categories differ: {name_first(differing, '; ')}; give both files the same list")


def _check_boxes(images: CocoSet) -> None:
    """Warn of boxes without area and of those that reach out of their image; refuse those that are beside it."""
    rows = {row["id"]: row for row in images.rows}
    empty, partly, beside = [], [], []
    for annotation in images.annotations:
        row, (x, y, width, height) = rows[annotation["image_id"]], annotation["bbox"]
        over = max(-x, -y, x + width - row["width"], y + height - row["height"])
        name = f"annotation {annotation['id']} of {describe_image(row)}"
        if width <= 0 or height <= 0:
            empty.append(name)
        elif x >= row["width"] or y >= row["height"] or x + width <= 0 or y + height <= 0:
            beside.append(f"{name} has the box {list(annotation['bbox'])}, the image {row['width']} x {row['height']}")
        elif over > OUTSIDE:
            partly.append(name)
    if beside:
        raise UserError(
            f"{images.json}: {len(beside)} boxes are outside of their image: {name_first(beside, '; ')}; boxes are "
            "x, y, width, height in pixels"
        )
    for names, what in ((empty, "no area and are not trained"), (partly, "a part outside of the image, cut off")):
        if names:
            logger.warning("%s: %d boxes have %s: %s", images.json, len(names), what, name_first(names))


def _file_faults(images: CocoSet, check: Check, workers: int) -> list[str]:
    rows = {images.path(index): row for index, row in enumerate(images.rows)}
    is_full = is_full_check(check, len(images))
    return find_faults(
        tuple(rows), lambda file: _fault(file, rows[file], is_full), workers, f"check {images.json.stem}"
    )


def _fault(file: str, row: ImageRow, full: bool) -> str:
    """Return what is wrong with the file of an image, or an empty string."""
    try:
        with open(file, "rb") as stream:
            content = stream.read()
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            size, turned = image.size, image.getexif().get(ORIENTATION, 1)
    except (OSError, ValueError, SyntaxError) as error:
        return _named(row, decode_error(file) or reason(error) if isinstance(error, OSError) else "not an image")
    is_doubtful = full or not has_complete_ends(content[:8], content[-ENDS:])
    if is_doubtful and (error_text := decode_error(file)):
        return _named(row, error_text)
    wanted = (row["width"], row["height"])
    if size == wanted:
        return ""
    if turned in (5, 6, 7, 8) and size == wanted[::-1]:
        return _named(
            row, f"EXIF orientation {turned} turns it, and the JSON has the size of the turned image; turn it"
        )
    return _named(row, f"{size[0]} x {size[1]} pixels, {wanted[0]} x {wanted[1]} in the JSON")


def _named(row: ImageRow, fault: str) -> str:
    return f"id {row['id']}: {fault}"

"""The embedded data set of detection: scenes with handwritten digits of several sizes, in COCO's format.

The digits of training scenes are the training digits of `src/images/digits.py`, those of validation scenes are others.
A scene is a function of its number, so that a training can draw new ones for each epoch.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from src.detection.boxes import areas, intersections
from src.images.digits import NAMES, SPLITS, Digit, Split, read_digits
from src.images.drawing import WHITE, Box, Canvas, clouds, lighter_color, paint, random_box, resized
from src.images.embedded import DATA, write_once

DIGIT_SCENES_FOLDER = DATA / "digit_scenes"
SCENES: dict[Split, int] = {"train": 1000, "val": 200}
SIDE = 320  # pixels
QUALITY = 90  # of the JPEGs, about 30 kB each
CATEGORY_STEP = 10  # the ids are 10, 20, ... 100, and not the classes 1 to 10 that networks count

DIGIT_SIDES = (72, 112, 176)  # pixels: 98 % of such digits have an anchor of IoU >= 0.5 at the usual scales
MOST_DIGITS = 6  # of a scene
TRIALS = 20  # places that are tried for a digit
MOST_COVERED = 0.05  # of the box of a digit, by another one
INK = 0.3  # share of a pixel that is painted, from which on it belongs to the digit's box
GAP = (70, 150)  # levels between a digit and what is behind it
CROWD = 12  # digits of a crowd
CROWD_SIDE = 40  # pixels of each
EMPTY_SCENE, CROWD_SCENE = 0, 1  # numbers of the two special scenes of val


class Scene(NamedTuple):
    """A picture and its digits.

    `pixels`: uint8 (320, 320, 3); `boxes`: x1, y1, x2, y2 in pixels, float64 (n, 4); `labels`: digits 0 to 9, int (n,);
    `crowd`: bool (n,).
    """

    pixels: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray
    crowd: np.ndarray


def write_digit_scenes(folder: Path = DIGIT_SCENES_FOLDER) -> Path:
    """Write train/ (1,000 images), val/ (200 images) and annotations/, unless the folder exists.

    Raises:
        UserError: scikit-learn is not installed, or the folder cannot be written.
    """
    return write_once(folder, "digit scenes", _write)


@lru_cache(maxsize=len(SPLITS))
def _digits(split: Split) -> tuple[Digit, ...]:
    return tuple(read_digits(split))


def draw_digit_scene(split: Split, number: int, epoch: int = 0) -> Scene:
    """Return a scene of one to six digits; of val, scene 0 has none and scene 1 also has a crowd.

    Args:
        split: whose digits are drawn.
        number: of the scene.
        epoch: from 0; another one gives another scene.
    """
    rng = np.random.RandomState([SPLITS.index(split), number, epoch])
    canvas = clouds(rng, SIDE, cells=rng.randint(3, 9), level=rng.randint(50, 121), percent=rng.randint(20, 61))
    count = rng.randint(1, MOST_DIGITS + 1)
    if split == "val" and number == EMPTY_SCENE:
        count = 0
    found: list[tuple[np.ndarray, int, bool]] = []
    if split == "val" and number == CROWD_SCENE:
        found.append(_paint_crowd(rng, canvas, _digits(split)))
    for _ in range(count):
        _add_digit(rng, canvas, _digits(split), found)
    return Scene(
        _with_noise(rng, canvas, strength=rng.randint(4, 25)),
        np.array([box for box, _, _ in found], np.float64).reshape(-1, 4),
        np.array([label for _, label, _ in found], np.int64),
        np.array([crowd for _, _, crowd in found], bool),
    )


def _add_digit(
    rng: np.random.RandomState, canvas: Canvas, digits: Sequence[Digit], found: list[tuple[np.ndarray, int, bool]]
) -> None:
    """Paint a digit where it covers none of those that are there; leave it out if no such place is found."""
    digit = digits[rng.randint(len(digits))]
    side = DIGIT_SIDES[rng.randint(len(DIGIT_SIDES))] * rng.randint(85, 116) // 100
    cover = resized(digit.ink, side, side) / WHITE
    others = np.array([box for box, _, _ in found], np.float64).reshape(-1, 4)
    for _ in range(TRIALS):
        place = random_box(rng, canvas, side, side)
        box = _extent(cover, place)
        common = intersections(box[None], others)[0]
        if (common <= MOST_COVERED * np.minimum(areas(others), areas(box))).all():
            paint(canvas, place, cover, lighter_color(rng, canvas, place, rng.randint(*GAP)))
            found.append((box, digit.label, False))
            return


def _paint_crowd(rng: np.random.RandomState, canvas: Canvas, digits: Sequence[Digit]) -> tuple[np.ndarray, int, bool]:
    """Paint many small digits of one kind that cover each other, and return the box around them."""
    label = rng.randint(10)
    same = [digit for digit in digits if digit.label == label]
    area = random_box(rng, canvas, SIDE // 3, SIDE // 3)
    boxes = []
    for _ in range(CROWD):
        cover = resized(same[rng.randint(len(same))].ink, CROWD_SIDE, CROWD_SIDE) / WHITE
        inner = random_box(rng, canvas[area.pixels], CROWD_SIDE, CROWD_SIDE)
        place = Box(area.top + inner.top, area.left + inner.left, CROWD_SIDE, CROWD_SIDE)
        paint(canvas, place, cover, lighter_color(rng, canvas, place, rng.randint(*GAP)))
        boxes.append(_extent(cover, place))
    every = np.array(boxes)
    return np.concatenate([every[:, :2].min(0), every[:, 2:].max(0)]), label, True


def _extent(cover: np.ndarray, place: Box) -> np.ndarray:
    """Return the box of the painted pixels, float64 (4,)."""
    rows, columns = (np.flatnonzero((cover > INK).any(axis)) for axis in (1, 0))
    left, top = place.left + columns[0], place.top + rows[0]
    return np.array([left, top, place.left + columns[-1] + 1, place.top + rows[-1] + 1], np.float64)


def _with_noise(rng: np.random.RandomState, canvas: Canvas, strength: int) -> np.ndarray:
    """Return the canvas as uint8 pixels, each changed by at most `strength` levels; faster than `with_noise`."""
    noise = np.frombuffer(rng.bytes(canvas.size), np.uint8).reshape(canvas.shape)
    levels = np.rint(canvas).astype(np.int16) + (noise.astype(np.int16) * (2 * strength + 1) >> 8) - strength
    return np.clip(levels, 0, WHITE, out=levels).astype(np.uint8)


def _write(folder: Path) -> None:
    (folder / "annotations").mkdir(parents=True)
    for split in SPLITS:
        (folder / split).mkdir()
        images: list[dict[str, Any]] = []
        annotations: list[dict[str, Any]] = []
        for number in range(SCENES[split]):
            scene, name = draw_digit_scene(split, number), f"{number:04d}.jpg"
            Image.fromarray(scene.pixels).save(folder / split / name, quality=QUALITY)
            images.append({"id": number + 1, "file_name": name, "width": SIDE, "height": SIDE})
            for (x1, y1, x2, y2), label, crowd in zip(
                scene.boxes.tolist(), scene.labels.tolist(), scene.crowd.tolist()
            ):
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": number + 1,
                        "category_id": CATEGORY_STEP * (label + 1),
                        "bbox": [x1, y1, x2 - x1, y2 - y1],
                        "area": (x2 - x1) * (y2 - y1),
                        "iscrowd": int(crowd),
                    }
                )
        categories = [{"id": CATEGORY_STEP * (label + 1), "name": name} for label, name in enumerate(NAMES)]
        content = {"images": images, "annotations": annotations, "categories": categories}
        (folder / "annotations" / f"instances_{split}.json").write_text(json.dumps(content), encoding="utf-8")

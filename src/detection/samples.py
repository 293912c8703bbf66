"""Where training images come from: files of a data set, or scenes that are drawn anew for each epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple, Protocol

import numpy as np
from PIL import Image

from src.detection.coco import CocoSet
from src.detection.digit_scenes import SCENES, SIDE, draw_digit_scene
from src.images.cache import is_small
from src.images.decoding import decode_rgb, read_rgb, reason
from src.images.image_file import ImageError, read_image


class Sample(NamedTuple):
    """An image with its objects. The size is known before `decode` gives the pixels, RGB.

    `boxes`: x1, y1, x2, y2 in pixels, float64 (n, 4); `classes`: from 1, int64 (n,).
    """

    width: int
    height: int
    boxes: np.ndarray
    classes: np.ndarray
    decode: Callable[[], Image.Image]


class Samples(Protocol):
    """The training images of each epoch."""

    def __len__(self) -> int:
        """Return the number of images of an epoch."""

    def sample(self, index: int, epoch: int) -> Sample:
        """Return an image of an epoch; both count from 0."""


class CocoSamples:
    """The images of a data set that have objects. Crowds and boxes without area are left out.

    Encoded images are kept in memory with `cache` on; auto: if they have less than 256 MB together.
    """

    def __init__(self, images: CocoSet, cache: Literal["auto", "on", "off"] = "off") -> None:
        self.images, self.kept = images, images.with_objects()
        files = [images.path(index) for index in self.kept]
        self.keeps = cache == "on" or (cache == "auto" and is_small(files))
        self.contents: dict[str, bytes] = {}

    def __len__(self) -> int:
        return len(self.kept)

    def sample(self, index: int, epoch: int) -> Sample:
        number = int(self.kept[index])
        row, objects, path = self.images.rows[number], self.images.objects[number], self.images.path(number)
        boxes, classes = objects.boxes[objects.trained], objects.classes[objects.trained]
        return Sample(row["width"], row["height"], boxes, classes, lambda: self._decode(path))

    def _decode(self, path: str) -> Image.Image:
        if not self.keeps:
            return read_rgb(path)
        try:
            if (content := self.contents.get(path)) is None:
                content = self.contents[path] = read_image(path).tobytes()
            return decode_rgb(content)
        except (ImageError, OSError) as error:
            raise ImageError(f"{path}: {reason(error)}") from None


class DrawnScenes:
    """Scenes of digits, other ones in each epoch. Those of the first epoch are the files of the embedded data set."""

    def __len__(self) -> int:
        return SCENES["train"]

    def sample(self, index: int, epoch: int) -> Sample:
        scene = draw_digit_scene("train", index, epoch)
        return Sample(SIDE, SIDE, scene.boxes, scene.labels + 1, lambda: Image.fromarray(scene.pixels))

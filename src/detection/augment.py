"""Augmentation of training images: which part of an image is seen and how, decided before the image is decoded.

Boxes need the size of an image only, and so do zoom out, IoU crop and flip. Parameters are those of torchvision's
`ssd` augmentation, in its order: photometric distortion, zoom out, IoU crop, flip.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from PIL import Image, ImageEnhance

from src.detection.boxes import areas, overlaps

LARGEST_ZOOM = 4.0  # sides of the canvas that an image is put on, in sides of the image
FILL = (123, 117, 104)  # its color, the mean of ImageNet
LEAST_OVERLAPS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)  # of a crop and its best object; 1: the whole image
CROP_SIDES = (0.3, 1.0)  # of a crop, as a share of the image
CROP_RATIOS = (0.5, 2.0)  # width / height of a crop
TRIALS = 40  # crops that are drawn for one least overlap
SLACK = 1 + 1e-6  # for rounding
BRIGHTNESS, CONTRAST, SATURATION = (0.875, 1.125), (0.5, 1.5), (0.5, 1.5)  # factors
HUE = 0.05  # largest turn, as a share of the circle
EVEN = 0.5  # probability of each change of colors


class BoxAugmentation(Protocol):
    """The settings that are read here, as `DetectAugmentOptions` has them."""

    zoom_out: float
    iou_crop: bool
    hflip: float
    photometric: float


class View(NamedTuple):
    """The part of an image that the network sees.

    `region`: x1, y1, x2, y2 in pixels of the image; parts outside of it are filled. `flipped`: mirrored after that.
    `boxes`, float64 (n, 4), are in pixels of the network's input; `classes` (n,) belong to them.
    """

    region: np.ndarray
    flipped: bool
    boxes: np.ndarray
    classes: np.ndarray


def draw_view(
    rng: np.random.Generator,
    width: int,
    height: int,
    boxes: np.ndarray,
    classes: np.ndarray,
    size: int,
    options: BoxAugmentation,
) -> View:
    """Draw the part of an image that is seen, and return it with the objects in it.

    Args:
        rng: the only source of chance.
        width, height: of the image, in pixels.
        boxes: objects, float64 (n, 4), in pixels of the image.
        classes: (n,).
        size: side of the network's input, in pixels.
        options: probabilities of zoom out and flip, and whether images are cropped.
    """
    region = np.array([0.0, 0.0, width, height])
    if rng.random() < options.zoom_out:
        region = _zoomed_out(rng, width, height)
    if options.iou_crop and len(boxes):
        region, kept = _iou_crop(rng, region, boxes)
        boxes, classes = boxes[kept], classes[kept]
    boxes = to_input(boxes, region, size)
    flipped = bool(rng.random() < options.hflip)
    if flipped:
        boxes = np.stack([size - boxes[:, 2], boxes[:, 1], size - boxes[:, 0], boxes[:, 3]], 1)
    return View(region, flipped, boxes, classes)


def to_input(boxes: np.ndarray, region: np.ndarray, size: int) -> np.ndarray:
    """Return boxes in pixels of the input that shows `region`, clipped to it. Both axes have their own scale."""
    scale = size / np.tile(region[2:] - region[:2], 2)
    return np.clip((boxes - np.tile(region[:2], 2)) * scale, 0, size)


def render(image: Image.Image, view: View, size: int, rng: np.random.Generator, photometric: float) -> np.ndarray:
    """Return the pixels of a view: uint8 (size, size, 3), by antialiased bilinear resampling.

    Args:
        image: RGB.
        rng: decides the colors.
        photometric: probability of changed colors.
    """
    x1, y1, x2, y2 = view.region
    scale_x, scale_y = size / (x2 - x1), size / (y2 - y1)
    left, top = max(0.0, x1), max(0.0, y1)
    right, bottom = min(image.width, x2), min(image.height, y2)
    place = [round((left - x1) * scale_x), round((top - y1) * scale_y)]
    extent = [max(1, round((right - x1) * scale_x) - place[0]), max(1, round((bottom - y1) * scale_y) - place[1])]
    seen = image.resize((extent[0], extent[1]), Image.Resampling.BILINEAR, box=(left, top, right, bottom))
    if rng.random() < photometric:
        seen = distort_colors(seen, rng)
    if seen.size != (size, size):
        canvas = Image.new("RGB", (size, size), FILL)
        canvas.paste(seen, (min(place[0], size - 1), min(place[1], size - 1)))
        seen = canvas
    pixels = np.asarray(seen)
    return np.ascontiguousarray(pixels[:, ::-1]) if view.flipped else pixels


def distort_colors(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Change brightness, contrast, saturation, hue and the order of channels, each with probability 1/2.

    Contrast changes before or after saturation and hue (torchvision's `RandomPhotometricDistort`).
    """
    chances = rng.random(7) < EVEN
    if chances[0]:
        image = ImageEnhance.Brightness(image).enhance(rng.uniform(*BRIGHTNESS))
    contrast = rng.uniform(*CONTRAST)
    if chances[1] and chances[2]:
        image = ImageEnhance.Contrast(image).enhance(contrast)
    if chances[3]:
        image = ImageEnhance.Color(image).enhance(rng.uniform(*SATURATION))
    if chances[4]:
        image = turn_hue(image, rng.uniform(-HUE, HUE))
    if not chances[1] and chances[5]:
        image = ImageEnhance.Contrast(image).enhance(contrast)
    if chances[6]:
        channels = image.split()
        image = Image.merge("RGB", [channels[index] for index in rng.permutation(3)])
    return image


def turn_hue(image: Image.Image, share: float) -> Image.Image:
    """Turn the hue of an image by a share of the circle, in steps of 1/256."""
    hue, saturation, value = image.convert("HSV").split()
    turned = (np.asarray(hue).astype(np.int16) + round(share * 256)) % 256
    return Image.merge("HSV", (Image.fromarray(turned.astype(np.uint8)), saturation, value)).convert("RGB")


def _zoomed_out(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Return a region of up to 4 x 4 images that has the image somewhere in it."""
    ratio = rng.uniform(1, LARGEST_ZOOM)
    left, top = rng.random(2) * (ratio - 1)
    return np.array([-left * width, -top * height, (ratio - left) * width, (ratio - top) * height])


def _iou_crop(rng: np.random.Generator, region: np.ndarray, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a random crop that overlaps an object enough, and which objects have their center in it.

    Most trials fail, so that they compute with plain numbers as long as possible: 0.4 instead of 1.3 ms of the
    processor for seven objects.
    """
    x, y, right, bottom = region.tolist()
    width, height = right - x, bottom - y
    columns, rows = ((boxes[:, :2] + boxes[:, 2:]) / 2).T
    largest = SLACK * float(areas(boxes).max())
    while True:
        least = LEAST_OVERLAPS[rng.integers(len(LEAST_OVERLAPS))]
        if least >= 1:
            return region, np.ones(len(boxes), bool)
        for _ in range(TRIALS):
            (share_x, share_y), (left, top) = rng.uniform(*CROP_SIDES, 2).tolist(), rng.random(2).tolist()
            w, h = width * share_x, height * share_y
            # The overlap is at most the area of an object / that of the crop.
            if not CROP_RATIOS[0] <= w / h <= CROP_RATIOS[1] or w * h * least > largest:
                continue
            left, top = x + (width - w) * left, y + (height - h) * top
            inside = (columns > left) & (columns < left + w) & (rows > top) & (rows < top + h)
            crop = np.array([left, top, left + w, top + h])
            if inside.any() and overlaps(boxes[inside], crop[None]).max() >= least:
                return crop, inside

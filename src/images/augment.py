"""Training augmentation: from the encoded file to uint8 (size, size, 3), and random erasing after normalization.

MindData gives all random operators of a pipeline the same seed. Two operators that draw equally often for each image
would therefore draw the same numbers. RandAugment is a single operator for that reason, and the rectangles of random
erasing are drawn before the pipeline starts.
"""

from __future__ import annotations

import math

import numpy as np
from mindspore.dataset import vision
from mindspore.dataset.vision import Inter

from src.config import AugmentOptions
from src.images.preprocess import Preprocess

POLICIES = 1024  # chains of operators from which RandAugment picks in one epoch
# Random erasing as in timm (timm/data/random_erasing.py).
ERASED_AREA = (0.02, 1 / 3)  # share of the image
ERASED_RATIO = (0.3, 1 / 0.3)  # height / width
MAX_ATTEMPTS = 10  # draws until a rectangle fits into the image


def operators(preprocess: Preprocess, augment: AugmentOptions, seed: int) -> list:
    """Return MindData's operators from an encoded image to uint8 (size, size, 3).

    As in timm, RandAugment and AutoAugment replace color jitter. AutoAugment is timm's `original` policy with
    torchvision's ranges: color, contrast, brightness and sharpness change by the factor 1 +- 0.9 * level (in timm the
    factor grows from 0.1 to 1.9 with the level), and shears are about the center.

    Args:
        seed: seed of RandAugment's policies.
    """
    jitter = (1 - augment.color_jitter, 1 + augment.color_jitter)
    chain = [
        vision.RandomCropDecodeResize(
            preprocess.size,
            augment.crop_scale,
            augment.crop_ratio,
            Inter.PILCUBIC if augment.antialias else Inter.BICUBIC,
        ),
        vision.RandomHorizontalFlip(augment.hflip),
    ]
    if augment.randaugment:
        return [*chain, rand_augment(preprocess, augment, seed)]
    if augment.autoaugment:
        return [*chain, vision.AutoAugment(vision.AutoAugmentPolicy.IMAGENET, Inter.BICUBIC, _mean_color(preprocess))]
    return [*chain, *([vision.RandomColorAdjust(jitter, jitter, jitter)] if augment.color_jitter else [])]


def rand_augment(preprocess: Preprocess, augment: AugmentOptions, seed: int) -> vision.RandomSelectSubpolicy:
    """Return timm's `rand-mM-nN-mstdS`: N operations with equal chances, each applied with probability 1/2.

    It differs from timm in three points: SolarizeAdd is missing, OpenCV does the bicubic resampling, and an image gets
    one of 1024 chains, which are drawn again for every epoch and rank. MindData's own `vision.RandAugment` is not used,
    because in MindSpore 2.10 its translations move the whole image out of the frame.
    """
    rng = np.random.default_rng(seed)
    fill = _mean_color(preprocess)
    policies = []
    for _ in range(POLICIES):
        kinds = rng.integers(0, len(RAND_OPERATIONS), augment.randaugment_ops)
        levels = rng.normal(augment.randaugment, augment.randaugment_std, augment.randaugment_ops).clip(0, 10) / 10
        signs = rng.choice((-1, 1), augment.randaugment_ops)
        chosen = zip(kinds, levels.tolist(), signs.tolist(), strict=True)
        policies.append([(RAND_OPERATIONS[kind](level, sign, fill), 0.5) for kind, level, sign in chosen])
    return vision.RandomSelectSubpolicy(policies)


def erased_boxes(images: int, size: int, probability: float, seed: int) -> np.ndarray:
    """Draw the rectangle to erase in each image: int64 (images, 5) of top, left, height, width (pixels), noise seed.

    An image is erased with the given probability (0 to 1). Height and width are 0 in images that are not erased.
    """
    rng = np.random.default_rng(seed)
    area = rng.uniform(*ERASED_AREA, (images, MAX_ATTEMPTS)) * size**2
    low, high = np.log(ERASED_RATIO)
    ratio = np.exp(rng.uniform(low, high, (images, MAX_ATTEMPTS)))
    sides = np.rint(np.sqrt(np.stack([area * ratio, area / ratio], -1))).astype(np.int64)
    fits = (sides < size).all(-1)
    erased = fits.any(1) & (rng.random(images) < probability)
    first = sides[np.arange(images), fits.argmax(1)] * erased[:, None]
    corner = rng.integers(0, size - first + 1)
    return np.column_stack([corner, first, rng.integers(0, 2**32, images)])


def erase(image: np.ndarray, box: np.ndarray, *, noise: bool) -> np.ndarray:
    """Replace the `box` (see `erased_boxes`) of a normalized image (3, size, size) by the mean color or normal noise.

    These are timm's modes `const` and `pixel` with one rectangle. timm's mode `rand`, one random color, is missing.
    """
    top, left, height, width, seed = box.tolist()
    if height == 0:
        return image
    image = image.copy()
    patch = np.random.default_rng(seed).standard_normal((3, height, width), np.float32) if noise else 0
    image[:, top : top + height, left : left + width] = patch
    return image


def _mean_color(preprocess: Preprocess) -> tuple[int, int, int]:
    """Return the color (RGB, 0 to 255) that fills the empty parts of a moved image."""
    red, green, blue = (min(255, round(255 * value)) for value in preprocess.mean)
    return red, green, blue


def _affine(
    fill: tuple[int, int, int],
    *,
    degrees: float = 0.0,
    move: tuple[float, float] = (0.0, 0.0),
    shear: tuple[float, float] = (0.0, 0.0),
) -> vision.Affine:
    """Return an affine operator with Pillow's conventions.

    Args:
        move: shift as a share of the image's side.
        shear: tangents about the top left corner. MindData shears about the center, so half of each is moved back.
    """
    angles = [math.degrees(math.atan(tangent)) for tangent in shear]
    shift = [share - tangent / 2 for share, tangent in zip(move, shear, strict=True)]
    return vision.Affine(degrees, shift, 1.0, angles, Inter.BICUBIC, fill)


def _enhance_factor(level: float) -> float:
    return 0.1 + 1.8 * level


# (level 0..1, sign, fill color) -> operator, with the ranges of timm's `rand`
RAND_OPERATIONS = (
    lambda level, sign, fill: vision.AutoContrast(),
    lambda level, sign, fill: vision.Equalize(),
    lambda level, sign, fill: vision.Invert(),
    lambda level, sign, fill: _affine(fill, degrees=30.0 * level * sign),
    lambda level, sign, fill: vision.Posterize(int(4 * level)),
    lambda level, sign, fill: vision.Solarize((min(255, int(256 * level)), 255)),
    lambda level, sign, fill: vision.AdjustSaturation(_enhance_factor(level)),
    lambda level, sign, fill: vision.AdjustContrast(_enhance_factor(level)),
    lambda level, sign, fill: vision.AdjustBrightness(_enhance_factor(level)),
    lambda level, sign, fill: vision.AdjustSharpness(_enhance_factor(level)),
    lambda level, sign, fill: _affine(fill, shear=(0.3 * level * sign, 0.0)),
    lambda level, sign, fill: _affine(fill, shear=(0.0, 0.3 * level * sign)),
    lambda level, sign, fill: _affine(fill, move=(0.45 * level * sign, 0.0)),
    lambda level, sign, fill: _affine(fill, move=(0.0, 0.45 * level * sign)),
)

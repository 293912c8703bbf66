"""What training does to an image's pixels, from the encoded file to uint8 (size, size, 3), and erasing after that.

MindData gives the random operators of a pipeline one seed, so two that draw equally often for each image move in
lockstep. RandAugment is therefore a single operator, and erasing draws its rectangles beforehand.
"""

from __future__ import annotations

import math

import numpy as np
from mindspore.dataset import vision
from mindspore.dataset.vision import Inter

from src.config import AugmentOptions
from src.images.preprocess import Preprocess

POLICIES = 1024  # chains of operators that RandAugment picks from in one epoch
ERASED_AREA = (0.02, 1 / 3)  # shares of the image
ERASED_RATIO = (0.3, 1 / 0.3)  # height / width
ATTEMPTS = 10  # to find a rectangle that fits


def operators(preprocess: Preprocess, augment: AugmentOptions, seed: int) -> list:
    """MindData's operators from an encoded image to uint8 (size, size, 3); `seed` draws RandAugment's policies.

    As in timm, RandAugment and AutoAugment take the place of colour jitter. AutoAugment is timm's `original` policy
    with torchvision's ranges: colour, contrast, brightness, sharpness change by a factor 1 +- 0.9 level, where timm's
    grows from 0.1 to 1.9 with the level; shears are about the centre.
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
        return [*chain, vision.AutoAugment(vision.AutoAugmentPolicy.IMAGENET, Inter.BICUBIC, _grey(preprocess))]
    return [*chain, *([vision.RandomColorAdjust(jitter, jitter, jitter)] if augment.color_jitter else [])]


def rand_augment(preprocess: Preprocess, augment: AugmentOptions, seed: int) -> vision.RandomSelectSubpolicy:
    """timm's `rand-mM-nN-mstdS`: N operations of equal chance, each done with probability 1/2.

    It differs from timm's in three points: SolarizeAdd is missing, the resampling is bicubic by OpenCV, and an image
    gets one of 1024 chains, drawn anew for every epoch and rank. MindData's own `vision.RandAugment` is not used: in
    MindSpore 2.10 its translations push the whole image out of the frame.
    """
    rng = np.random.default_rng(seed)
    fill = _grey(preprocess)
    policies = []
    for _ in range(POLICIES):
        kinds = rng.integers(0, len(RAND_OPERATIONS), augment.randaugment_ops)
        levels = rng.normal(augment.randaugment, augment.randaugment_std, augment.randaugment_ops).clip(0, 10) / 10
        signs = rng.choice((-1, 1), augment.randaugment_ops)
        chosen = zip(kinds, levels.tolist(), signs.tolist(), strict=True)
        policies.append([(RAND_OPERATIONS[kind](level, sign, fill), 0.5) for kind, level, sign in chosen])
    return vision.RandomSelectSubpolicy(policies)


def erased_boxes(images: int, size: int, probability: float, seed: int) -> np.ndarray:
    """What to erase of each image: int64 (images, 5) of top, left, height, width (pixels) and a seed for noise.

    Areas, ratios and attempts are timm's; images that keep all their pixels have height and width 0.
    """
    rng = np.random.default_rng(seed)
    area = rng.uniform(*ERASED_AREA, (images, ATTEMPTS)) * size**2
    ratio = np.exp(rng.uniform(*np.log(ERASED_RATIO), (images, ATTEMPTS)))
    sides = np.rint(np.sqrt(np.stack([area * ratio, area / ratio], -1))).astype(np.int64)
    fits = (sides < size).all(-1)
    erased = fits.any(1) & (rng.random(images) < probability)
    first = sides[np.arange(images), fits.argmax(1)] * erased[:, None]
    corner = rng.integers(0, size - first + 1)
    return np.column_stack([corner, first, rng.integers(0, 2**32, images)])


def erase(image: np.ndarray, box: np.ndarray, *, noise: bool) -> np.ndarray:
    """A normalised image (3, size, size) whose `box` (see `erased_boxes`) is the mean colour, or normal noise.

    As timm's modes `const` and `pixel` with one rectangle; timm's mode `rand` (one random colour) is not offered.
    """
    top, left, height, width, seed = box.tolist()
    if height == 0:
        return image
    image = image.copy()
    patch = np.random.default_rng(seed).standard_normal((3, height, width), np.float32) if noise else 0
    image[:, top : top + height, left : left + width] = patch
    return image


def _grey(preprocess: Preprocess) -> tuple[int, int, int]:
    """The mean colour, with which moved images are filled up."""
    return tuple(min(255, round(255 * value)) for value in preprocess.mean)


def _affine(fill: tuple[int, int, int], *, degrees: float = 0.0, move=(0.0, 0.0), shear=(0.0, 0.0)) -> vision.Affine:
    """`move` in shares of the image's side, `shear` as tangents about the top left corner, as Pillow's are."""
    angles = [math.degrees(math.atan(tangent)) for tangent in shear]
    centred = [share - tangent / 2 for share, tangent in zip(move, shear, strict=True)]
    return vision.Affine(degrees, centred, 1.0, angles, Inter.BICUBIC, fill)


def _factor(level: float) -> float:
    return 0.1 + 1.8 * level


# (level 0..1, sign, fill colour) -> operator, with the ranges of timm's `rand`
RAND_OPERATIONS = (
    lambda level, sign, fill: vision.AutoContrast(),
    lambda level, sign, fill: vision.Equalize(),
    lambda level, sign, fill: vision.Invert(),
    lambda level, sign, fill: _affine(fill, degrees=30.0 * level * sign),
    lambda level, sign, fill: vision.Posterize(int(4 * level)),
    lambda level, sign, fill: vision.Solarize((min(255, int(256 * level)), 255)),
    lambda level, sign, fill: vision.AdjustSaturation(_factor(level)),
    lambda level, sign, fill: vision.AdjustContrast(_factor(level)),
    lambda level, sign, fill: vision.AdjustBrightness(_factor(level)),
    lambda level, sign, fill: vision.AdjustSharpness(_factor(level)),
    lambda level, sign, fill: _affine(fill, shear=(0.3 * level * sign, 0.0)),
    lambda level, sign, fill: _affine(fill, shear=(0.0, 0.3 * level * sign)),
    lambda level, sign, fill: _affine(fill, move=(0.45 * level * sign, 0.0)),
    lambda level, sign, fill: _affine(fill, move=(0.0, 0.45 * level * sign)),
)

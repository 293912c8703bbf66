"""mixup and CutMix: the host draws what is mixed, the device mixes each batch with its mirror image.

mixup: https://arxiv.org/abs/1710.09412; CutMix: https://arxiv.org/abs/1905.04899. One draw is used for a whole batch,
and the i-th image is mixed with the i-th from the end, as in timm (`Mixup`, mode `batch`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from mindspore import Tensor, nn, ops

from src.config import MixOptions

STREAM = 0x6D6978  # separates these random numbers from others of the same seed


class Mix(NamedTuple):
    """The mix of one batch. A lam of 1 leaves the batch unchanged.

    `lam`: share of the images' own labels, float32 () in [0, 1].
    `box`: what CutMix takes from the partners, int32 (4,): y0, y1, x0, x1 in pixels, ends excluded; empty for mixup.
    """

    lam: np.ndarray
    box: np.ndarray


def draw(options: MixOptions, *, seed: int, step: int, rank: int, size: int) -> Mix:
    """Draw the mix of one batch of `size` x `size` pixels; it is a function of the arguments alone.

    `step` counts batches from the start of the run, so that a resumed run mixes as an uninterrupted one. For CutMix,
    lam is the share of pixels outside of the box, after the box is clipped to the image.
    """
    rng = np.random.default_rng([STREAM, seed, step, rank])
    mixed, switched, *center = rng.random(4)
    if not (options.mixup or options.cutmix) or mixed >= options.mix_prob:
        return _mix(1.0, (0, 0, 0, 0))
    if not options.cutmix or (options.mixup and switched >= options.mix_switch_prob):
        return _mix(rng.beta(options.mixup, options.mixup), (0, 0, 0, 0))
    half = int(size * np.sqrt(1 - rng.beta(options.cutmix, options.cutmix))) // 2
    y, x = (int(size * position) for position in center)
    y0, y1, x0, x1 = (min(max(edge, 0), size) for edge in (y - half, y + half, x - half, x + half))
    return _mix(1 - (y1 - y0) * (x1 - x0) / size**2, (y0, y1, x0, x1))


class Mixing(nn.Cell):
    """Mixes a batch with its mirror: images (N, C, H, W), floats; labels (N,); lam and box as in `Mix`.

    Returns the mixed images, and the labels (N,) of their partners.
    """

    def construct(self, images: Tensor, labels: Tensor, lam: Tensor, box: Tensor) -> tuple[Tensor, Tensor]:
        height, width = images.shape[2:]
        rows, columns = ops.arange(height).reshape((-1, 1)), ops.arange(width).reshape((1, -1))
        inside = ops.logical_and(
            ops.logical_and(rows >= box[0], rows < box[1]), ops.logical_and(columns >= box[2], columns < box[3])
        )
        is_box = (box[1] - box[0]) * (box[3] - box[2]) > 0
        own = ops.where(is_box, 1 - inside.astype(images.dtype), lam.astype(images.dtype))
        return images * own + ops.flip(images, (0,)) * (1 - own), ops.flip(labels, (0,))


def _mix(lam: float, box: tuple[int, int, int, int]) -> Mix:
    return Mix(np.asarray(lam, np.float32), np.array(box, np.int32))

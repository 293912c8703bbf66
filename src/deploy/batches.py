"""Cut images into the batches that an exported file takes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def batches(images: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """Return all images in batches of `batch_size`; the last batch is filled with the first images.

    Args:
        batch_size: 0 (any batch) gives all images at once, and then the first one alone.
    """
    if batch_size == 0:
        return [images, images[:1]]
    return [images[index] for index in full_batches(len(images), batch_size)]


def full_batches(count: int, batch_size: int) -> Iterator[np.ndarray]:
    """Give the indices, int64 (batch_size,), of the images of each batch; the last batch is filled from the front."""
    for start in range(0, count, batch_size):
        yield np.arange(start, start + batch_size) % count

"""The MindData pipelines: from image sets to batches, for training and for evaluation.

In training, MindData's C++ operators decode, crop, flip and jitter. In evaluation, Pillow decodes, resizes and crops
(see `preprocess.py`), so that published accuracies are reproduced exactly.

The order of a training epoch depends on (seed, epoch) alone: all ranks shuffle alike and take disjoint parts. The
pixels depend on (seed, epoch, rank, workers). So a run can be repeated, and training can resume at any batch of any
epoch without repeating the epochs before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import mindspore.dataset as ds
import numpy as np
from mindspore.dataset import vision

from src.config import AugmentOptions
from src.errors import UserError
from src.images.augment import erase, erased_boxes, operators
from src.images.image_file import ImageRef
from src.images.image_set import ImageSet
from src.images.minddata import for_minddata
from src.images.preprocess import Preprocess
from src.images.read_ahead import ReadAhead


def train_dataset(
    images: ImageSet,
    preprocess: Preprocess,
    augment: AugmentOptions,
    batch_size: int,
    *,
    epoch: int,
    seed: int,
    workers: int,
    rank: int = 0,
    ranks: int = 1,
    skip: int = 0,
) -> ds.Dataset:
    """Return one epoch of augmented batches: `image` float32 (batch_size, 3, size, size), `label` int32 (batch_size,).

    The images are those of `epoch_order`. The first `skip` batches are computed and discarded, so that the random
    operators reach the right state: the other batches are bit-identical to those without `skip`.

    Raises:
        UserError: there are too few images for one step of all `ranks`.
    """
    check_batch_size(len(images), images.root, batch_size, ranks)
    order = epoch_order(len(images), batch_size, epoch=epoch, seed=seed, rank=rank, ranks=ranks)
    pixel_seed, policy_seed, erase_seed = np.random.SeedSequence((seed, epoch, rank)).generate_state(4)[1:]
    ds.config.set_seed(int(pixel_seed))  # the operators below take this seed when the pipeline starts
    chain = [*operators(preprocess, augment, policy_seed), *to_network_input(preprocess)]
    boxes = erased_boxes(len(order), preprocess.size, augment.random_erasing, erase_seed)
    source = ReadAhead(
        lambda position: (*_read_labeled(images, order[position]), boxes[position]),
        len(order),
        size=lambda item: item[0].nbytes,
    )
    data = ds.GeneratorDataset(source, ["image", "label", "box"], shuffle=False, num_parallel_workers=1)
    data = data.map(chain, "image", num_parallel_workers=workers)
    if augment.random_erasing:
        noise = augment.erasing_mode == "pixel"
        data = data.map(partial(erase, noise=noise), ["image", "box"], ["image"], num_parallel_workers=workers)
    data = data.project(["image", "label"])
    data = data.batch(batch_size, drop_remainder=True)
    return data.skip(skip) if skip else data


def epoch_order(images: int, batch_size: int, *, epoch: int, seed: int, rank: int = 0, ranks: int = 1) -> np.ndarray:
    """Return the images that a rank sees in an epoch, in order: int64 (steps * batch_size,), values 0 to `images` - 1.

    All ranks shuffle alike and cut the order into steps of `ranks * batch_size` images. Each rank takes its own part of
    a step, so that a step sees the same images as a step of one rank with the global batch. Images that do not fill a
    step are left out.
    """
    steps = images // (batch_size * ranks)
    order = np.random.default_rng(np.random.SeedSequence((seed, epoch)).generate_state(1)[0]).permutation(images)
    return order[: steps * ranks * batch_size].reshape(steps, ranks, batch_size)[:, rank].ravel()


def check_batch_size(images: int, source: Path, batch_size: int, ranks: int = 1) -> None:
    """Check that `images` images, which `source` holds, are enough for a batch on every rank.

    Raises:
        UserError: there are fewer.
    """
    if images < batch_size * ranks:
        devices = f" on each of {ranks} devices" if ranks > 1 else ""
        raise UserError(
            f"batch_size is {batch_size}{devices}, but {source} holds {images} images; take a smaller --batch_size"
        )


def eval_dataset(files: Sequence[ImageRef], preprocess: Preprocess, batch_size: int, *, workers: int) -> ds.Dataset:
    """Return every file once, in order: `image` float32 (n, 3, size, size). The last batch may be smaller."""
    data = ds.NumpySlicesDataset(list(range(len(files))), ["image"], shuffle=False)
    data = data.map(lambda index: preprocess.pixels(files[int(index)]), "image", num_parallel_workers=workers)
    data = data.map(to_network_input(preprocess), "image", num_parallel_workers=1)
    return data.batch(batch_size, drop_remainder=False)


def to_network_input(preprocess: Preprocess) -> list:
    """Return the operators that make uint8 (height, width, 3) the input of a network: normalized, channels first."""
    mean, std = ([255 * value for value in values] for values in (preprocess.mean, preprocess.std))
    return [vision.Normalize(mean, std, is_hwc=True), vision.HWC2CHW()]


def _read_labeled(images: ImageSet, index: int) -> tuple[np.ndarray, np.ndarray]:
    """Return an image, encoded for MindData, and its label."""
    return for_minddata(images.read(index), images.files[index]), images.labels[index]

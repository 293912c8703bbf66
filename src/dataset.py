"""The MindData pipelines: folders of images to batches, for training and for evaluation.

Training decodes, crops, flips and jitters in MindData's C++ operators. Evaluation leaves decode, resize and crop to
Pillow (see `preprocess.py`), so that published accuracies are met to the digit.

The order of a training epoch is a function of (seed, epoch) and the same for all ranks, which divide it between them;
its pixels are one of (seed, epoch, rank, workers). A run can be repeated, and an epoch can be entered without playing
the ones before it, or in its middle.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import mindspore.dataset as ds
import numpy as np
from mindspore.dataset import vision

from src.config import AugmentOptions
from src.errors import UserError
from src.images.augment import erase, erased_boxes, operators
from src.images.faults import decode_fault, looks_whole
from src.images.folder import ImageFolder
from src.images.preprocess import Preprocess
from src.images.read_ahead import ReadAhead


def train_dataset(
    folder: ImageFolder,
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
    """One epoch of augmented batches: `image` float32 (batch_size, 3, size, size), `label` int32 (batch_size,).

    The images are those of `epoch_order`. The first `skip` batches are worked out but not handed on, because what
    follows depends on the state that they leave the random operators in: it is the same to the bit as without `skip`.

    Raises:
        UserError: there are fewer images than the `ranks` need for one step.
    """
    check_batch_size(folder, batch_size, ranks)
    order = epoch_order(len(folder), batch_size, epoch=epoch, seed=seed, rank=rank, ranks=ranks)
    pixel_seed, policy_seed, erase_seed = np.random.SeedSequence((seed, epoch, rank)).generate_state(4)[1:]
    ds.config.set_seed(int(pixel_seed))  # of the operators below, which take it when the pipeline starts
    chain = [*operators(preprocess, augment, policy_seed), *_to_network_input(preprocess)]
    boxes = erased_boxes(len(order), preprocess.size, augment.random_erasing, erase_seed)
    source = ReadAhead(lambda position: (*_row(folder, order[position]), boxes[position]), len(order))
    data = ds.GeneratorDataset(source, ["image", "label", "box"], shuffle=False, num_parallel_workers=1)
    data = data.map(chain, "image", num_parallel_workers=workers)
    if augment.random_erasing:
        noise = augment.erasing_mode == "pixel"
        data = data.map(partial(erase, noise=noise), ["image", "box"], ["image"], num_parallel_workers=workers)
    data = data.project(["image", "label"])
    data = data.batch(batch_size, drop_remainder=True)
    return data.skip(skip) if skip else data


def epoch_order(images: int, batch_size: int, *, epoch: int, seed: int, rank: int = 0, ranks: int = 1) -> np.ndarray:
    """Which of `images` a rank sees in an epoch, in order: int64 (steps * batch_size,).

    All ranks shuffle alike and cut the order into steps of `ranks * batch_size`, of which each takes its own part: a
    step sees the same images as one of a single rank with that batch. What does not fill a step is left out.
    """
    steps = images // (batch_size * ranks)
    order = np.random.default_rng(np.random.SeedSequence((seed, epoch)).generate_state(1)[0]).permutation(images)
    return order[: steps * ranks * batch_size].reshape(steps, ranks, batch_size)[:, rank].ravel()


def check_batch_size(folder: ImageFolder, batch_size: int, ranks: int = 1) -> None:
    """Refuse a batch that the folder cannot fill on every rank.

    Raises:
        UserError: naming the numbers.
    """
    if len(folder) < batch_size * ranks:
        devices = f" on each of {ranks} devices" if ranks > 1 else ""
        raise UserError(
            f"batch_size is {batch_size}{devices}, but {folder.root} holds {len(folder)} images; "
            "take a smaller --batch_size"
        )


def eval_dataset(files: Sequence[str], preprocess: Preprocess, batch_size: int, *, workers: int) -> ds.Dataset:
    """Every file once, in order: `image` float32 (n, 3, size, size); the last batch may be smaller."""
    data = ds.NumpySlicesDataset(list(range(len(files))), ["image"], shuffle=False)
    data = data.map(lambda index: preprocess.pixels(files[int(index)]), "image", num_parallel_workers=workers)
    data = data.map(_to_network_input(preprocess), "image", num_parallel_workers=1)
    return data.batch(batch_size, drop_remainder=False)


def _to_network_input(preprocess: Preprocess) -> list:
    mean, std = ([255 * value for value in values] for values in (preprocess.mean, preprocess.std))
    return [vision.Normalize(mean, std, is_hwc=True), vision.HWC2CHW()]


def _row(folder: ImageFolder, index: int) -> tuple[np.ndarray, np.ndarray]:
    """An undecoded image and its label."""
    content = folder.read(index)
    # MindData's decoder can take the whole process down with a file that ends in its header.
    if not looks_whole(content[:8].tobytes(), content[-64:].tobytes()):
        path = folder.files[index]
        if fault := decode_fault(path):
            raise ValueError(f"{path}: {fault}")
    return content, folder.labels[index]

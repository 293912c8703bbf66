"""The MindData pipelines: folders of images to batches, for training and for evaluation.

Training decodes, crops, flips and jitters in MindData's C++ operators. Evaluation leaves decode, resize and crop to
Pillow (see `preprocess.py`), so that published accuracies are met to the digit.

Order and pixels of a training epoch are a function of (seed, epoch, workers): a run can be repeated, and an epoch can
be entered without playing the ones before it.
"""

from __future__ import annotations

from collections.abc import Sequence

import mindspore.dataset as ds
import numpy as np
from mindspore.dataset import vision
from mindspore.dataset.vision import Inter

from src.config import AugmentOptions
from src.errors import UserError
from src.image_folder import ImageFolder, decode_fault, looks_whole
from src.preprocess import Preprocess


def train_dataset(
    folder: ImageFolder,
    preprocess: Preprocess,
    augment: AugmentOptions,
    batch_size: int,
    *,
    epoch: int,
    seed: int,
    workers: int,
) -> ds.Dataset:
    """One epoch of augmented batches: `image` float32 (batch_size, 3, size, size), `label` int32 (batch_size,).

    Images are shuffled; those that do not fill the last batch are left out of this epoch.

    Raises:
        UserError: there are fewer images than `batch_size`.
    """
    check_batch_size(folder, batch_size)
    order_seed, pixel_seed = np.random.SeedSequence((seed, epoch)).generate_state(2)
    order = np.random.default_rng(order_seed).permutation(len(folder))
    ds.config.set_seed(int(pixel_seed))  # of the operators below, which take it when the pipeline starts
    jitter = (1 - augment.color_jitter, 1 + augment.color_jitter)
    operators = [
        vision.RandomCropDecodeResize(
            preprocess.size,
            augment.crop_scale,
            augment.crop_ratio,
            Inter.PILCUBIC if augment.antialias else Inter.BICUBIC,
        ),
        vision.RandomHorizontalFlip(augment.hflip),
        *([vision.RandomColorAdjust(jitter, jitter, jitter)] if augment.color_jitter else []),
        *_to_network_input(preprocess),
    ]
    data = ds.GeneratorDataset(_Encoded(folder, order), ["image", "label"], shuffle=False, num_parallel_workers=1)
    data = data.map(operators, "image", num_parallel_workers=workers)
    return data.batch(batch_size, drop_remainder=True)


def check_batch_size(folder: ImageFolder, batch_size: int) -> None:
    """Refuse a batch that the folder cannot fill.

    Raises:
        UserError: naming both numbers.
    """
    if len(folder) < batch_size:
        raise UserError(
            f"batch_size is {batch_size}, but {folder.root} holds {len(folder)} images; take a smaller --batch_size"
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


class _Encoded:
    """Random access to undecoded files and labels, in a given order."""

    def __init__(self, folder: ImageFolder, order: np.ndarray) -> None:
        self.folder, self.order = folder, order

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, position: int) -> tuple[np.ndarray, np.ndarray]:
        index = self.order[position]
        path = self.folder.files[index]
        content = np.fromfile(path, np.uint8)
        # MindData's decoder can take the whole process down with a file that ends in its header.
        if not looks_whole(content[:8].tobytes(), content[-64:].tobytes()) and (fault := decode_fault(path)):
            raise ValueError(f"{path}: {fault}")
        return content, self.folder.labels[index]

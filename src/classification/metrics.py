"""Accuracy and loss of a network on labeled images. Each image is scored exactly once, on any number of ranks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import mindspore as ms
import numpy as np
from mindspore import nn
from tqdm import tqdm

from src.dataset import eval_dataset
from src.images.faults import explain_bad_files
from src.images.image_file import ImageRef
from src.images.preprocess import Preprocess
from src.runtime import collectives, distributed


@dataclass(frozen=True)
class Metrics:
    """`top1` and `top5` in percent of `images`; `loss` is the mean cross entropy without smoothing, in nats."""

    images: int
    top1: float
    top5: float
    loss: float


@dataclass(frozen=True)
class Scores:
    """Scores of a network on n labeled images, in the order of the images.

    `places`: place of the true class among all classes, (n,); 0 is best, NaN is an image that no rank has scored.
    `losses`: cross entropy without smoothing, float64 (n,), in nats.
    `classes`, `probabilities`: the most probable classes, best first, int (n, top) and float64 (n, top).
    """

    places: np.ndarray
    losses: np.ndarray
    classes: np.ndarray
    probabilities: np.ndarray

    def metrics(self) -> Metrics:
        """Return the accuracies and the mean loss."""
        count = len(self.places)
        top1, top5 = (100 * int((self.places < best).sum()) / count for best in (1, 5))
        scored = ~np.isnan(self.places)
        # fsum is exact, so the sum does not depend on how the images are divided.
        return Metrics(int(scored.sum()), top1, top5, math.fsum(self.losses[scored]) / count)


def predict_logits(
    network: nn.Cell, files: Sequence[ImageRef], preprocess: Preprocess, batch_size: int, *, workers: int
) -> Iterator[np.ndarray]:
    """Give the logits, float32 (n, classes), of one batch after the other, in the order of `files`.

    The last batch is padded with zeros, because the network is compiled for one shape. Their logits are left out.

    Raises:
        UserError: an image cannot be read.
    """
    if not len(files):
        return
    batch_size = min(batch_size, len(files))
    data = eval_dataset(files, preprocess, batch_size, workers=workers)
    batches = iter(data.create_tuple_iterator(num_epochs=1, output_numpy=True))
    while True:
        with explain_bad_files(files, workers):
            batch = next(batches, None)
        if batch is None:
            return
        (images,) = batch
        count = len(images)
        if count < batch_size:
            images = np.concatenate([images, np.zeros((batch_size - count, *images.shape[1:]), images.dtype)])
        yield network(ms.Tensor(images)).asnumpy()[:count].astype(np.float32)


def score_images(
    network: nn.Cell,
    files: Sequence[ImageRef],
    labels: np.ndarray,
    preprocess: Preprocess,
    batch_size: int,
    *,
    workers: int,
    top: int = 0,
) -> Scores:
    """Score every file once; each rank scores its share, and all ranks return the scores of all images.

    Counts and accuracies are the same for any `batch_size`, `workers` and ranks. The loss differs by about 1e-7,
    because a convolution rounds differently at another place in a batch.

    Args:
        top: number of the most probable classes to return for each image, at most the number of classes.

    Raises:
        UserError: an image cannot be read.
    """
    ranks = distributed.ranks()
    share = slice(distributed.rank(), None, ranks)
    count = len(labels)
    files, labels = files[share], labels[share]
    scores = np.full((-(-count // ranks), 2 + 2 * top), np.nan)  # place of the true class, loss, classes, probabilities
    done = 0
    with tqdm(desc="evaluate", total=len(files), unit="img", leave=False, disable=None) as bar:
        for logits in predict_logits(network, files, preprocess, batch_size, workers=workers):
            columns = [*score(logits, labels[done : done + len(logits)])]
            columns += best_classes(logits, top) if top else ()
            scores[done : done + len(logits)] = np.column_stack(columns)
            done += len(logits)
            bar.update(len(logits))
    # Rank r has scored the images r, r + ranks, r + 2 * ranks ...
    scores = collectives.all_gather(scores).swapaxes(0, 1).reshape(-1, 2 + 2 * top)[:count]
    return Scores(scores[:, 0], scores[:, 1], scores[:, 2 : 2 + top].astype(int), scores[:, 2 + top :])


def best_classes(logits: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the most probable classes of logits (n, classes), best first, and their probabilities.

    Equal logits are ranked by class index, as in `score`. With fewer than `count` classes, all are returned.

    Returns:
        Class indices, int (n, count), and probabilities, float64 (n, count).
    """
    best = np.argsort(-logits, axis=1, kind="stable")[:, :count]
    probabilities = np.exp(logits - logits.max(1, keepdims=True), dtype=np.float64)
    probabilities /= probabilities.sum(1, keepdims=True)
    return best, np.take_along_axis(probabilities, best, 1)


def score(logits: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Score the rows of logits (n, classes) against labels (n,).

    Returns:
        The place of the true class among all classes, int (n,): 0 is best, and equal logits are ranked by class index.
        The cross entropy, float64 (n,). A row with a logit that is not finite gets the last place.
    """
    logits = logits.astype(np.float64)
    rows = np.arange(len(labels))
    true_logits = logits[rows, labels][:, None]
    is_better = logits > true_logits
    is_earlier_equal = (logits == true_logits) & (np.arange(logits.shape[1]) < labels[:, None])
    leads = is_better | is_earlier_equal
    leads[~np.isfinite(logits).all(1)] = True
    peak = logits.max(1, keepdims=True)
    losses = np.log(np.exp(logits - peak).sum(1)) + peak[:, 0] - true_logits[:, 0]
    return leads.sum(1), losses

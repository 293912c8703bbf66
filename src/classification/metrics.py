"""Accuracy and loss of a network on labelled images, each scored exactly once."""

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
from src.images.preprocess import Preprocess
from src.runtime import collectives, distributed


@dataclass(frozen=True)
class Metrics:
    """`top1` and `top5` in percent of `images`; `loss` is the mean cross entropy, unsmoothed, in nats."""

    images: int
    top1: float
    top5: float
    loss: float


def predict_logits(
    network: nn.Cell, files: Sequence[str], preprocess: Preprocess, batch_size: int, *, workers: int
) -> Iterator[np.ndarray]:
    """Logits (n, classes) of batch after batch, in the order of `files`.

    The last batch is filled up with blanks, so that the network is compiled for one shape, and cut again.
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


def evaluate(
    network: nn.Cell,
    files: Sequence[str],
    labels: np.ndarray,
    preprocess: Preprocess,
    batch_size: int,
    *,
    workers: int,
    title: str = "evaluate",
) -> Metrics:
    """Score every file once, each rank its share.

    The result is the same for any `batch_size`, `workers` and ranks, the loss to about 1e-7 of it: how a convolution
    rounds depends on an image's place in its batch.
    """
    mine = slice(distributed.rank(), None, distributed.ranks())
    files, labels, count = files[mine], labels[mine], len(labels)
    scores = np.full((-(-count // distributed.ranks()), 2), np.nan)  # place of the true class, loss
    done = 0
    with tqdm(desc=title, total=len(files), unit="img", leave=False, disable=None) as bar:
        for logits in predict_logits(network, files, preprocess, batch_size, workers=workers):
            place, losses = score(logits, labels[done : done + len(logits)])
            scores[done : done + len(logits)] = np.stack([place, losses], 1)
            done += len(logits)
            bar.update(len(logits))
    place, losses = collectives.all_gather(scores).reshape(-1, 2).T
    top1, top5 = (100 * int((place < best).sum()) / count for best in (1, 5))
    scored = ~np.isnan(place)
    return Metrics(int(scored.sum()), top1, top5, math.fsum(losses[scored]) / count)  # fsum: in any order the same


def score(logits: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each row: the rank of the true class (0 is best; of equal logits the lower class leads), and the loss."""
    logits = logits.astype(np.float64)
    rows = np.arange(len(labels))
    truth = logits[rows, labels][:, None]
    leads = (logits > truth) | ((logits == truth) & (np.arange(logits.shape[1]) < labels[:, None]))
    leads[~np.isfinite(logits).all(1)] = True  # such a row is never right
    peak = logits.max(1, keepdims=True)
    losses = np.log(np.exp(logits - peak).sum(1)) + peak[:, 0] - truth[:, 0]
    return leads.sum(1), losses

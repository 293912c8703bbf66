"""Accuracy and loss of labeled images."""

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from mindspore import Tensor, nn

from src.classification import metrics
from src.classification.metrics import best_classes, predict_logits, score, score_images
from src.images.data_path import open_split
from src.images.preprocess import Preprocess


@given(
    arrays.arrays(np.float32, (5, 7), elements=st.integers(-3, 3)), st.lists(st.integers(0, 6), min_size=5, max_size=5)
)
def test_rank_is_the_place_in_a_stable_sort(logits, labels):
    ranks, losses = score(logits, np.array(labels))
    for row, label, rank, loss in zip(logits, labels, ranks, losses):
        assert np.argsort(-row, kind="stable").tolist().index(label) == rank
        assert loss == pytest.approx(np.log(np.exp(row.astype(float) - row[label]).sum()))


def test_logits_that_are_not_numbers_are_never_right():
    ranks, _ = score(np.full((2, 8), np.nan, np.float32), np.array([0, 3]))
    assert (ranks >= 5).all()


@given(arrays.arrays(np.float32, (4, 6), elements=st.floats(-90, 90, width=32)))
def test_the_best_classes_are_those_that_are_scored(logits):
    classes, probabilities = best_classes(logits, 5)
    for place in range(5):
        places, _ = score(logits, classes[:, place])
        assert (places == place).all()
    all_probabilities = np.exp(logits.astype(float)) / np.exp(logits.astype(float)).sum(1, keepdims=True)
    expected = [row[order] for row, order in zip(all_probabilities, classes)]
    np.testing.assert_allclose(probabilities, expected, rtol=1e-5)


class Brightness(nn.Cell):
    """Class 1 for images brighter than the mean of ImageNet, else class 0; six more classes that never win."""

    def construct(self, x):
        bright = x.mean((1, 2, 3)).reshape((-1, 1))
        weights = Tensor(np.array([[-1, 1, 0, 0, 0, 0, 0, 0]], np.float32))
        offsets = Tensor(np.array([[0, 0, -9, -9, -9, -9, -9, -9]], np.float32))
        return bright * weights + offsets


def test_metrics_do_not_depend_on_batches_and_workers(image_folder):
    folder = open_split(image_folder, "val")
    results = {
        score_images(Brightness(), folder.files, folder.labels, Preprocess(32), batch_size, workers=workers).metrics()
        for batch_size in (1, 2, 4, 6, 50)
        for workers in (1, 2)
    }
    assert len(results) == 1
    (metrics,) = results
    logits = np.concatenate(list(predict_logits(Brightness(), folder.files, Preprocess(32), 4, workers=1)))
    assert metrics.images == 6 == len(logits)
    assert metrics.top1 == 100 * (logits.argmax(1) == folder.labels).mean()
    assert metrics.top5 == 100


class Gathered(Exception):
    """Ends a rank of `gathered` when it has given its part."""


def gathered(monkeypatch, ranks, compute):
    """Return what the last of several ranks computes, whose parts are computed one after the other."""
    parts = []

    def all_gather(part):
        parts.append(part)
        if len(parts) < ranks:
            raise Gathered
        return np.stack(parts)

    monkeypatch.setattr(metrics.distributed, "ranks", lambda: ranks)
    monkeypatch.setattr(metrics.collectives, "all_gather", all_gather)
    for rank in range(ranks):
        monkeypatch.setattr(metrics.distributed, "rank", lambda rank=rank: rank)
        with contextlib.suppress(Gathered):
            return compute()


@pytest.mark.parametrize("ranks", [1, 4, 7])
def test_scores_are_in_the_order_of_the_images_on_any_number_of_ranks(image_folder, monkeypatch, ranks):
    folder, preprocess = open_split(image_folder, "val"), Preprocess(32)
    logits = np.concatenate(list(predict_logits(Brightness(), folder.files, preprocess, 2, workers=1)))
    arguments = Brightness(), folder.files, folder.labels, preprocess, 2
    scores = gathered(monkeypatch, ranks, lambda: score_images(*arguments, workers=1, top=2))
    np.testing.assert_array_equal(scores.classes, np.argsort(-logits, 1)[:, :2])
    np.testing.assert_array_equal(scores.places == 0, scores.classes[:, 0] == folder.labels)
    assert scores.metrics().images == 6

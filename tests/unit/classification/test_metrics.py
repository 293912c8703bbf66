"""Accuracy and loss of labeled images."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from mindspore import Tensor, nn

from src.classification.metrics import evaluate, predict_logits, score
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
        evaluate(Brightness(), folder.files, folder.labels, Preprocess(32), batch_size, workers=workers)
        for batch_size in (1, 2, 4, 6, 50)
        for workers in (1, 2)
    }
    assert len(results) == 1
    (metrics,) = results
    logits = np.concatenate(list(predict_logits(Brightness(), folder.files, Preprocess(32), 4, workers=1)))
    assert metrics.images == 6 == len(logits)
    assert metrics.top1 == 100 * (logits.argmax(1) == folder.labels).mean()
    assert metrics.top5 == 100

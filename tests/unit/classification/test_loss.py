"""The smoothed cross entropy of classification."""

import numpy as np
import pytest
from mindspore import Tensor

from src.classification.loss import SmoothedCrossEntropy


@pytest.mark.parametrize("smoothing, classes", [(0.1, 10), (0.0, 4), (0.3, 2)])
def test_loss_is_the_authors_smoothing(smoothing, classes):
    rng = np.random.RandomState(0)
    logits, labels = rng.randn(6, classes).astype(np.float32), rng.randint(0, classes, 6).astype(np.int32)
    target = np.full((6, classes), smoothing / (classes - 1))
    target[np.arange(6), labels] = 1 - smoothing
    log_odds = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    loss = SmoothedCrossEntropy(classes, smoothing)(Tensor(logits), Tensor(labels))
    np.testing.assert_allclose(loss.asnumpy(), -(target * log_odds).sum(1).mean(), rtol=1e-5)

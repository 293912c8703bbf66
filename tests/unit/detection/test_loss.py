"""The loss and its gradients equal those of torchvision."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor
from support.detection import TORCHVISION, dense, golden_batch

from src.detection.loss import MultiBoxLoss


@pytest.fixture(scope="module")
def batch():
    """Logits, codes, labels and target codes of the four golden images."""
    return [Tensor(value) for value in golden_batch()]


@pytest.fixture(scope="module")
def graph():
    """The compiled loss and its gradients with respect to logits and codes."""
    return ms.jit(ms.value_and_grad(MultiBoxLoss(), (0, 1)))


def test_loss_and_gradients_are_those_of_torchvision(graph, batch):
    loss, (of_logits, of_codes) = graph(*batch)
    assert float(loss.asnumpy()) == pytest.approx(float(TORCHVISION["lb"] + TORCHVISION["lc"]), rel=1e-5)
    np.testing.assert_allclose(of_logits.asnumpy(), dense("gl"), atol=1e-6)
    np.testing.assert_allclose(of_codes.asnumpy(), dense("gr"), atol=1e-6)


def test_images_without_objects_have_no_loss(graph, batch):
    logits, codes, labels, target = batch
    loss, (of_logits, of_codes) = graph(logits, codes, Tensor(np.zeros_like(labels.asnumpy())), target)
    assert float(loss.asnumpy()) == 0
    assert not of_logits.asnumpy().any() and not of_codes.asnumpy().any()

"""Three compiled steps of a small detector equal those of torchvision's SSD (tests/golden/README.md says how)."""

import numpy as np
import pytest
from mindspore import Tensor
from support.detection_step import CLASSES, EXTRA, PIXELS, RATE, SEED, STEPS, WEIGHT_DECAY, batches, summary
from support.project import GOLDEN
from support.seeded_weights import seeded_state
from support.small_network import small

from src.config import RecipeOptions
from src.detection.anchors import anchor_boxes
from src.detection.loss import DetectorWithLoss
from src.detection.matching import targets
from src.detection.network import ssdlite
from src.networks.layers import use_native_kernels
from src.training.optimizers import build_optimizer
from src.training.step import TrainStep
from src.weights.names import timm_names, weights_of

GOLDEN_STEP = np.load(GOLDEN / "detection_step.npz")
TOLERANCE = 1e-5  # of a tensor's norm


@pytest.fixture(scope="module")
def start():
    """The weights that both programs start from, by name."""
    shapes = zip(GOLDEN_STEP["names"].tolist(), GOLDEN_STEP["shapes"].tolist(), strict=True)
    return seeded_state({name: tuple(map(int, shape.split())) for name, shape in shapes}, SEED)


@pytest.fixture(scope="module")
def trained(start):
    """The losses, and the weights after the last step, by name."""
    network = ssdlite(small(), CLASSES, PIXELS, extra=EXTRA)
    use_native_kernels(network)
    names, weights = timm_names(network), weights_of(network)
    for name, timm_name in names.items():
        weights[name].set_data(Tensor(start[timm_name]))
    recipe = RecipeOptions(optimizer="sgd", momentum=0.9, weight_decay=WEIGHT_DECAY, ema_decay=0)
    optimizer = build_optimizer(network, recipe, np.full(STEPS, RATE, np.float32))
    step = TrainStep(network, DetectorWithLoss(network), optimizer, recipe)
    anchors = anchor_boxes(network.detector)
    losses = []
    for images, truths in batches():
        found = [targets(boxes, classes, anchors) for boxes, classes in truths]
        labels, codes = np.stack([each.labels for each in found]), np.stack([each.codes for each in found])
        losses.append(float(step(Tensor(images), Tensor(labels), Tensor(codes)).asnumpy()))
    return losses, {names[name]: weights[name].asnumpy() for name in names}


def test_losses_are_those_of_torchvision(trained):
    np.testing.assert_allclose(trained[0], GOLDEN_STEP["losses"], rtol=TOLERANCE)


def test_weights_are_those_of_torchvision(trained, start):
    _, tensors = trained
    assert sorted(tensors) == GOLDEN_STEP["names"].tolist()
    wrong = {}
    for name, expected in zip(GOLDEN_STEP["names"].tolist(), GOLDEN_STEP["weights"], strict=True):
        error = np.abs(summary(tensors[name], start[name]) - expected) * [tensors[name].size ** 0.5, 1, 1] / expected[1]
        if error.max() > TOLERANCE:
            wrong[name] = error.max()
    assert not wrong

"""Fine-tuning that keeps parts of a network fixed."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, nn
from pydantic import ValidationError
from support.small_network import one_block

from src.classification.loss import NetworkWithLoss
from src.config import RecipeOptions, TrainConfig
from src.networks.layers import Norm
from src.training.freezing import freeze
from src.training.optimizers import build_optimizer
from src.training.step import TrainStep
from src.weights.names import HEAD, weights_of

STATISTICS = ("moving_mean", "moving_variance")


def changed_by_a_step(**frozen):
    """Names of the weights that a training step changes, of all names."""
    ms.set_seed(3)
    network = one_block(num_classes=4, dropout=0.2, norm=Norm(momentum=0))
    rng = np.random.RandomState(0)
    images, labels = rng.randn(8, 3, 40, 40).astype(np.float32), rng.randint(0, 4, 8).astype(np.int32)
    network.set_train()(Tensor(images[::-1] + 1))  # gives it the statistics of a trained network
    freeze(network, HEAD, **frozen)
    optimizer = build_optimizer(network, RecipeOptions(), np.array([0.1], np.float32))
    before = {name: parameter.asnumpy().tobytes() for name, parameter in weights_of(network).items()}
    step = TrainStep(network, NetworkWithLoss(network, 4, 0.1), optimizer, RecipeOptions())
    step(Tensor(images), Tensor(labels))
    weights = weights_of(network)
    return {name for name in before if weights[name].asnumpy().tobytes() != before[name]}, set(before)


def test_a_frozen_backbone_trains_the_classifier_alone():
    changed, _ = changed_by_a_step(backbone=True, batch_norm=False)
    assert changed == set(HEAD)


def test_frozen_batch_norm_keeps_its_statistics_and_trains_all_else():
    changed, names = changed_by_a_step(backbone=False, batch_norm=True)
    assert names - changed == {name for name in names if name.endswith(STATISTICS)}


def test_gradients_of_frozen_batch_norm_are_those_of_its_formula():
    norm = nn.BatchNorm2d(3)
    freeze(norm, HEAD, backbone=False, batch_norm=True)
    norm.set_train()
    rng = np.random.RandomState(0)
    x, weight = rng.randn(4, 3, 5, 5), rng.randn(4, 3, 5, 5)
    values = {"moving_mean": rng.randn(3), "moving_variance": rng.rand(3) + 0.5, "gamma": rng.randn(3)}
    for name, value in values.items():
        getattr(norm, name).set_data(Tensor(value.astype(np.float32)))

    def total(image, factor):
        return (norm(image) * factor).sum()

    gradient = ms.grad(total, 0, ms.ParameterTuple([norm.gamma, norm.beta]))
    by_image, (by_gamma, by_beta) = gradient(Tensor(x.astype(np.float32)), Tensor(weight.astype(np.float32)))
    mean, scale, gamma = (
        value.reshape(1, 3, 1, 1)
        for value in (values["moving_mean"], 1 / np.sqrt(values["moving_variance"] + norm.eps), values["gamma"])
    )
    np.testing.assert_allclose(by_image.asnumpy(), weight * gamma * scale, rtol=1e-4)
    np.testing.assert_allclose(by_gamma.asnumpy(), (weight * (x - mean) * scale).sum((0, 2, 3)), rtol=1e-4)
    np.testing.assert_allclose(by_beta.asnumpy(), weight.sum((0, 2, 3)), rtol=1e-4)


@pytest.mark.parametrize("key", ["freeze_backbone", "freeze_bn"])
def test_only_trained_weights_can_be_frozen(key):
    with pytest.raises(ValidationError, match="there are no trained weights to keep; give them with --ckpt"):
        TrainConfig(**{key: True})
    assert getattr(TrainConfig(ckpt="a.ckpt", **{key: True}), key)
    assert getattr(TrainConfig(resume="auto", **{key: True}), key)

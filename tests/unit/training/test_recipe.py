import mindspore as ms
import numpy as np
import pytest
from mindspore import Parameter, Tensor, nn
from pydantic import ValidationError

from src.config import RecipeOptions
from src.training.recipe import SmoothedCrossEntropy, build_optimizer, learning_rates, peak_rate


def test_paper_schedule():
    rates = learning_rates(RecipeOptions(epochs=10), 1251, 1024)
    assert len(rates) == 10 * 1251 and rates.dtype == np.float32
    assert rates[0] == np.float32(1e-6)
    np.testing.assert_allclose(rates[int(1.5 * 1251)], 0.024, rtol=1e-3)  # half-way through the warm-up
    for epoch, decays in [(3.0, 1), (4.79, 1), (4.81, 2), (7.19, 2), (7.21, 3), (9.99, 4)]:
        np.testing.assert_allclose(rates[round(epoch * 1251)], 0.048 * 0.97**decays, rtol=1e-6)
    warm = rates[: 3 * 1251]
    assert (np.diff(warm) > 0).all() and (np.diff(rates[3 * 1251 :]) <= 0).all()


def test_rate_follows_the_batch_linearly_unless_told_not_to():
    assert peak_rate(RecipeOptions(), 1024) == 0.048
    assert peak_rate(RecipeOptions(), 128) == pytest.approx(0.006)
    assert peak_rate(RecipeOptions(lr_batch=0), 128) == 0.048
    np.testing.assert_allclose(learning_rates(RecipeOptions(epochs=1, warmup_epochs=0), 4, 256), 0.012)


@pytest.mark.parametrize("smoothing, classes", [(0.1, 10), (0.0, 4), (0.3, 2)])
def test_loss_is_the_authors_smoothing(smoothing, classes):
    rng = np.random.RandomState(0)
    logits, labels = rng.randn(6, classes).astype(np.float32), rng.randint(0, classes, 6).astype(np.int32)
    target = np.full((6, classes), smoothing / (classes - 1))
    target[np.arange(6), labels] = 1 - smoothing
    log_odds = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    loss = SmoothedCrossEntropy(classes, smoothing)(Tensor(logits), Tensor(labels))
    np.testing.assert_allclose(loss.asnumpy(), -(target * log_odds).sum(1).mean(), rtol=1e-5)


class Two(nn.Cell):
    def __init__(self):
        super().__init__()
        self.matrix = Parameter(Tensor(np.full((2, 3), 0.5, np.float32)))
        self.vector = Parameter(Tensor(np.full(3, 0.5, np.float32)))


def rmsprop(weight, gradient, decay, rate, state, step):
    gradient = gradient + decay * weight
    state["square"] = 0.9 * state.get("square", 1) + 0.1 * gradient**2
    state["moment"] = 0.8 * state.get("moment", 0) + rate * gradient / np.sqrt(state["square"] + 0.01)
    return weight - state["moment"]


def sgd(weight, gradient, decay, rate, state, step):
    state["moment"] = 0.8 * state.get("moment", 0) + gradient + decay * weight
    return weight - rate * state["moment"]


def nesterov(weight, gradient, decay, rate, state, step):
    sgd(weight, gradient, decay, rate, state, step)
    return weight - rate * (gradient + decay * weight + 0.8 * state["moment"])


def adamw(weight, gradient, decay, rate, state, step):
    state["average"] = 0.7 * state.get("average", 0) + 0.3 * gradient
    state["square"] = 0.99 * state.get("square", 0) + 0.01 * gradient**2
    average, square = state["average"] / (1 - 0.7**step), state["square"] / (1 - 0.99**step)
    return weight - rate * decay * weight - rate * average / (np.sqrt(square) + 0.001)


@pytest.mark.parametrize(
    "options, reference",
    [
        ({}, rmsprop),
        ({"optimizer": "sgd"}, sgd),
        ({"optimizer": "sgd", "nesterov": True}, nesterov),
        ({"optimizer": "adamw", "beta1": 0.7, "beta2": 0.99, "adam_epsilon": 0.001}, adamw),
    ],
)
def test_optimizers_are_their_formulas_and_decay_matrices_only(options, reference):
    network = Two()
    recipe = RecipeOptions(weight_decay=0.1, rms_decay=0.9, momentum=0.8, epsilon=0.01, loss_scale=4, **options)
    rates = np.array([0.1, 0.2, 0.3, 0.05], np.float32)
    optimizer = build_optimizer(network, recipe, rates)
    rng = np.random.RandomState(0)
    expected = {"matrix": np.full((2, 3), 0.5), "vector": np.full(3, 0.5)}
    states = {"matrix": {}, "vector": {}}
    for step, rate in enumerate(rates, 1):
        gradients = {name: rng.randn(*value.shape) for name, value in expected.items()}
        optimizer(tuple(ms.Tensor(gradients[p.name].astype(np.float32)) for p in network.trainable_params()))
        for name, value in expected.items():
            decay = 0.1 if name == "matrix" else 0
            expected[name] = reference(value, gradients[name], decay, float(rate), states[name], step)
    for name, value in expected.items():
        np.testing.assert_allclose(getattr(network, name).asnumpy(), value, rtol=1e-5, atol=1e-6)


def test_an_optimizer_takes_vectors_alone():
    network = Two()
    network.matrix.requires_grad = False
    optimizer = build_optimizer(network, RecipeOptions(optimizer="sgd", momentum=0), np.array([0.5], np.float32))
    optimizer((Tensor(np.ones(3, np.float32)),))
    assert network.vector.asnumpy().tolist() == [0, 0, 0] and network.matrix.asnumpy().tolist() == [[0.5] * 3] * 2


def test_nothing_to_look_ahead_by():
    with pytest.raises(ValidationError, match="nothing to look ahead by"):
        RecipeOptions(optimizer="sgd", momentum=0, nesterov=True)

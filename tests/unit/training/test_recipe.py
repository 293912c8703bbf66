import mindspore as ms
import numpy as np
import pytest
from mindspore import Parameter, Tensor, nn

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


def test_rmsprop_is_tensorflows_and_decays_matrices_only():
    network = Two()
    recipe = RecipeOptions(weight_decay=0.1, rms_decay=0.9, momentum=0.8, epsilon=0.01, loss_scale=4)
    rates = np.array([0.1, 0.2, 0.3], np.float32)
    optimizer = build_optimizer(network, recipe, rates)
    rng = np.random.RandomState(0)
    expected = {"matrix": np.full((2, 3), 0.5), "vector": np.full(3, 0.5)}
    state = {name: (np.ones_like(value), np.zeros_like(value)) for name, value in expected.items()}
    for rate in rates:
        gradients = {name: rng.randn(*value.shape) for name, value in expected.items()}
        optimizer(tuple(ms.Tensor((4 * gradients[p.name]).astype(np.float32)) for p in network.trainable_params()))
        for name, value in expected.items():
            gradient = gradients[name] + (0.1 * value if name == "matrix" else 0)
            mean_square = 0.9 * state[name][0] + 0.1 * gradient**2
            moment = 0.8 * state[name][1] + rate * gradient / np.sqrt(mean_square + 0.01)
            state[name] = (mean_square, moment)
            expected[name] = value - moment
    for name, value in expected.items():
        np.testing.assert_allclose(getattr(network, name).asnumpy(), value, rtol=1e-5)

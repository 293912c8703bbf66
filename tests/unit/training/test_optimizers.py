"""Optimizers: the formulas of their papers, and the same bits at every call."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Parameter, Tensor, nn

from src.config import RecipeOptions
from src.kernels.library import choose_kernels
from src.training.optimizers import SGD, AdamW, RMSProp, build_optimizer


def updates(make, size, launches=20):
    """The bits that `launches` updates from one and the same state and gradient give, each only once."""
    rng = np.random.RandomState(size)
    optimizer = make([Parameter(Tensor(rng.randn(size).astype(np.float32)), name="weight")])
    gradient = Tensor(rng.randn(size).astype(np.float32))
    state = {p.name: p.asnumpy().copy() for p in optimizer.get_parameters()}
    found = set()
    for _ in range(launches):
        for parameter in optimizer.get_parameters():
            parameter.set_data(Tensor(state[parameter.name]))
        optimizer((gradient,))
        found.add(b"".join(p.asnumpy().tobytes() for p in optimizer.get_parameters()))
    return found


OPTIMIZERS = {
    "rmsprop": lambda parameters: RMSProp(parameters, 0.1, momentum=0.9, epsilon=1e-3),
    "sgd": lambda parameters: SGD(parameters, 0.1, momentum=0.9),
    "adamw": lambda parameters: AdamW(parameters, 0.1, weight_decay=0.1),
}


@pytest.fixture(params=["on", "off"])
def kernels(request):
    """Whether the CPU kernels update, or MindSpore's operators."""
    choose_kernels(request.param)
    yield request.param
    choose_kernels("auto")


@pytest.mark.parametrize("size", [8, 24, 100, 1280])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_update_has_the_same_bits_at_every_launch(name, size, kernels):
    assert len(updates(OPTIMIZERS[name], size)) == 1


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
def test_optimizers_are_their_formulas_and_decay_matrices_only(options, reference, kernels):
    network = Two()
    recipe = RecipeOptions(weight_decay=0.1, rms_decay=0.9, momentum=0.8, epsilon=0.01, loss_scale=4, **options)
    rates = np.array([0.1, 0.2, 0.3, 0.05], np.float32)
    optimizer = build_optimizer(network, recipe, rates)
    assert (optimizer.native is None) == (kernels == "off")
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


def test_moments_of_sgd_outlive_a_change_between_kernels_and_plain_operators():
    def trained(*forms):
        """The matrix after a step in each form; a later form takes over the tensors of the one before."""
        network, state = Two(), {}
        for form in forms:
            choose_kernels(form)
            recipe = RecipeOptions(optimizer="sgd", momentum=0.5)
            optimizer = build_optimizer(network, recipe, np.array([0.5] * 4, np.float32))
            for parameter in optimizer.get_parameters():
                parameter.set_data(state.get(parameter.name, parameter))
            optimizer((Tensor(np.ones((2, 3), np.float32)), Tensor(np.ones(3, np.float32))))
            state = {parameter.name: parameter for parameter in optimizer.get_parameters()}
        return network.matrix.asnumpy()

    expected = trained("off", "off", "off")
    for forms in ("on", "on", "on"), ("on", "off", "off"), ("off", "on", "off"):
        np.testing.assert_allclose(trained(*forms), expected, rtol=1e-6)
    choose_kernels("auto")

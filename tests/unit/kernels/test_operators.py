"""The kernels as MindSpore operators, against the plain operators that they replace."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, ops
from support.native import ACTIVATIONS
from support.small_network import small

from src.kernels import operators
from src.kernels.library import choose_kernels, library
from src.networks.layers import use_native_kernels
from src.weights.names import weights_of

IMAGES = Tensor(np.random.RandomState(0).randn(3, 3, 40, 40).astype(np.float32))


def network(native, training=True):
    ms.set_seed(3)
    cell = small(num_classes=4)
    if native:
        use_native_kernels(cell)
    return cell.set_train(training)


def gradients_and_statistics(native):
    """Two calls: the last loss, gradients, and all weights, which hold the moving statistics."""
    cell = network(native)
    weights = tuple(cell.trainable_params())

    def loss_of(x):
        return ops.square(cell(x)).mean()

    step = ms.value_and_grad(loss_of, 0, weights)
    step(IMAGES)
    loss, (dx, gradients) = step(IMAGES)
    named = {p.name: g.asnumpy() for p, g in zip(weights, gradients, strict=True)}
    return loss.asnumpy(), dx.asnumpy(), named, {n: p.asnumpy() for n, p in weights_of(cell).items()}


def test_the_session_has_the_library():
    choose_kernels("on")
    assert library() is not None


def test_gradients_and_moving_statistics_are_those_of_the_plain_operators(pynative):
    (loss, dx, native, weights), (plain_loss, plain_dx, plain, plain_weights) = map(
        gradients_and_statistics, (True, False)
    )
    np.testing.assert_allclose(loss, plain_loss, rtol=1e-5)
    assert np.abs(dx - plain_dx).max() < 1e-4 * np.abs(plain_dx).max()
    largest = max(np.abs(gradient).max() for gradient in plain.values())
    for name in plain:
        assert np.abs(native[name] - plain[name]).max() < 1e-4 * largest, name
    for name in plain_weights:
        np.testing.assert_allclose(weights[name], plain_weights[name], rtol=1e-4, atol=1e-6, err_msg=name)


def test_evaluation_is_that_of_the_plain_operators_and_changes_no_statistics():
    native = network(True, training=False)
    before = {name: p.asnumpy().copy() for name, p in weights_of(native).items()}
    found = native(IMAGES).asnumpy()
    assert np.abs(found - network(False, training=False)(IMAGES).asnumpy()).max() < 1e-5 * np.abs(found).max()
    assert all((p.asnumpy() == before[name]).all() for name, p in weights_of(native).items())


def test_names_and_shapes_of_parameters_do_not_depend_on_the_form():
    assert [(p.name, p.shape) for p in network(True).get_parameters()] == [
        (p.name, p.shape) for p in network(False).get_parameters()
    ]


def test_a_wrong_tensor_is_an_error_of_mindspore(pynative):
    x = Tensor(np.ones((1, 2, 4, 4), np.float32))
    with pytest.raises(RuntimeError):
        operators.depthwise(1)(x, Tensor(np.ones((2, 1, 4, 4), np.float32)), operators.settings(1, 0)).asnumpy()


def test_activations_are_numbered_as_in_the_sources():
    assert operators.ACTIVATIONS == ACTIVATIONS

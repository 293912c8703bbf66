import json

import mindspore as ms
import numpy as np
import pytest
from helpers import GOLDEN
from mindspore import Tensor, nn, ops
from safetensors.numpy import save_file
from seeded_weights import seeded_images, seeded_state

from src.design.cost import total_cost
from src.design.families import TINYNETS
from src.errors import UserError
from src.layers import Norm
from src.models import create_model, list_models
from src.tinynet import TinyNet, tinynet
from src.weights import load_weights, read_weights, timm_names, weights_of

NAMES = ["tinynet_a", "tinynet_b", "tinynet_c", "tinynet_d", "tinynet_e"]


@pytest.mark.parametrize("name", ["tinynet_a", "tinynet_c", "tinynet_e"])
def test_logits_and_features_equal_timm(name, tmp_path):
    golden, info = np.load(GOLDEN / f"{name}_seed7.npz"), json.loads((GOLDEN / f"{name}.json").read_text())
    save_file(seeded_state(info["parameters"], 7, golden), tmp_path / "model.safetensors")
    network = create_model(name).set_train(False)
    report = load_weights(network, read_weights(tmp_path / "model.safetensors"))
    assert len(report.loaded) == len(info["parameters"]) and not report.skipped

    images = Tensor(seeded_images(2, info["input_size"], 7))
    logits = network(images).asnumpy()  # as one graph
    ms.set_context(mode=ms.PYNATIVE_MODE)
    features = network.forward_features(images).asnumpy().mean((2, 3))
    ms.set_context(mode=ms.GRAPH_MODE)
    assert np.abs(logits - golden["logits"]).max() <= 1e-4 * np.abs(golden["logits"]).max()
    assert np.abs(features - golden["features"]).max() <= 1e-4 * np.abs(golden["features"]).max()


@pytest.mark.parametrize("name", ["tinynet_a", "tinynet_c", "tinynet_e"])
def test_names_and_shapes_are_timms(name):
    network = create_model(name)
    names, parameters = timm_names(network), weights_of(network)
    shapes = {timm: list(parameters[own].shape) for own, timm in names.items()}
    assert shapes == json.loads((GOLDEN / f"{name}.json").read_text())["parameters"]


def test_there_are_five_networks():
    assert list_models("tinynet*") == NAMES
    with pytest.raises(UserError, match="did you mean 'tinynet_c'"):
        create_model("tinynetc")


@pytest.fixture
def pynative():
    """Nothing is compiled."""
    ms.set_context(mode=ms.PYNATIVE_MODE)
    yield
    ms.set_context(mode=ms.GRAPH_MODE)


def check_forward_backward(name, compiled):
    network = create_model(name, num_classes=7, dropout=0.2, drop_path=0.2).set_train()
    trainable = network.trainable_params()

    def loss_of(x):
        return ops.square(network(x)).mean()

    gradient = compiled(ms.value_and_grad(loss_of, None, trainable))
    for batch in (1, 3):
        images = Tensor(np.random.RandomState(batch).randn(batch, 3, 64, 64).astype(np.float32))
        loss, gradients = gradient(images)
        assert np.isfinite(loss.asnumpy())
        if batch > 1:  # BatchNorm over 2x2 pixels of one image may cancel a gradient exactly
            flat = [p.name for p, g in zip(trainable, gradients) if not np.abs(g.asnumpy()).max() > 0]
            assert len(gradients) == len(trainable) and not flat
    assert network.set_train(False)(images).shape == (3, 7)


def test_forward_backward_in_one_graph():
    """One network's, which has all that the others are built of."""
    check_forward_backward("tinynet_e", ms.jit)


@pytest.mark.usefixtures("pynative")
@pytest.mark.parametrize("name", NAMES)
def test_forward_backward(name):
    check_forward_backward(name, lambda function: function)


@pytest.mark.usefixtures("pynative")
@pytest.mark.parametrize("name", NAMES)
def test_a_hook_over_the_cells_counts_the_same_cost(name):
    network = create_model(name).set_train(False)
    macs = 0

    def count(cell, _, output):
        nonlocal macs
        places = np.prod(output.shape[2:]) if isinstance(cell, nn.Conv2d) else 1
        macs += int(cell.weight.size * places)

    for _, cell in network.cells_and_names():
        if isinstance(cell, (nn.Conv2d, nn.Dense)):
            cell.register_forward_hook(count)
    network(Tensor(np.zeros((1, *network.input_size), np.float32)))
    cost = total_cost(TINYNETS[name])
    assert macs == cost.macs
    assert sum(p.size for p in network.trainable_params()) == cost.parameters


def test_networks_of_one_process_are_independent():
    first = create_model("tinynet_e", num_classes=5)
    before = {name: p.asnumpy().copy() for name, p in weights_of(first).items()}
    second = create_model("tinynet_c", num_classes=9, norm=Norm(epsilon=1e-3))
    for parameter in second.get_parameters():
        parameter.set_data(ops.zeros_like(parameter))
    assert first.num_classes == 5 and second.num_classes == 9
    assert all(np.array_equal(p.asnumpy(), before[name]) for name, p in weights_of(first).items())


def test_options_reach_the_cells():
    network = tinynet(0.5, 0.5, 0.5, num_classes=4, in_channels=1, drop_path=0.4, norm=Norm(0.8, 1e-3))
    assert network.input_size == (1, 112, 112) and network.num_features == 1280
    assert network.set_train(False)(Tensor(np.zeros((2, 1, 112, 112), np.float32))).shape == (2, 4)
    norms = [cell for _, cell in network.cells_and_names() if isinstance(cell, nn.BatchNorm2d)]
    assert {(round(1 - cell.momentum, 6), cell.eps) for cell in norms} == {(0.8, 1e-3)}  # the Cell keeps 1 - momentum
    total = sum(stage.repeats for stage in network.architecture.stages)
    rates = [block.drop_path.rate for stage in network.blocks for block in stage]
    np.testing.assert_allclose(rates, [0.4 * index / total for index in range(total)])
    assert isinstance(network, TinyNet)

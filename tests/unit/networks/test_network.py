"""All published networks and random ones: built, run forward and backward, and compared with their layer tables."""

import mindspore as ms
import numpy as np
import pytest
from hypothesis import Phase, given, settings
from mindspore import Tensor, nn, ops
from support.exporting import cut
from support.random_architectures import architectures

from src.design.architecture import Architecture
from src.design.cost import total_cost
from src.design.families import ARCHITECTURES, TF_EFFICIENTNETS, TINYNETS
from src.design.layer_table import layers
from src.errors import UserError
from src.models import create_model, list_models
from src.networks.features import FeatureExtractor
from src.weights.names import timm_names, weights_of


def images(count, channels, size):
    return Tensor(np.random.RandomState(count).randn(count, channels, size, size).astype(np.float32))


LARGE = 3e6  # parameters; larger networks have the same blocks, more of them and wider ones
NAMES = [name for name in list_models() if name not in TF_EFFICIENTNETS or name == "tf_efficientnet_b0"]  # see below


@pytest.mark.parametrize("name", NAMES)
def test_each_network_is_the_one_of_its_table(name):
    network = create_model(name, num_classes=7)
    parameters, names = weights_of(network), timm_names(network)
    expected = {key: shape for layer in layers(ARCHITECTURES[name], 7) for key, shape in layer.shapes().items()}
    assert {timm: tuple(parameters[own].shape) for own, timm in names.items()} == expected


def learning_networks():
    """Give all names; the gradient of a large network is a long test.

    The tf_ networks have the Cells of EfficientNets with another style, so one of them is enough.
    """
    for name in NAMES:
        is_large = total_cost(ARCHITECTURES[name]).parameters > LARGE
        yield pytest.param(name, marks=pytest.mark.long) if is_large else name


@pytest.mark.parametrize("name", learning_networks())
def test_every_parameter_of_each_network_gets_a_gradient(pynative, name):
    network = create_model(name, num_classes=7, dropout=0.2, drop_path=0.2).set_train()
    trainable = network.trainable_params()
    gradient = ms.value_and_grad(lambda x: ops.square(network(x)).mean(), None, trainable)
    loss, gradients = gradient(images(3, 3, 64))
    assert np.isfinite(loss.asnumpy())
    assert [p.name for p, g in zip(trainable, gradients) if not np.abs(g.asnumpy()).max() > 0] == []


@pytest.mark.parametrize("name", ["tinynet_e", "ghostnet_050", "s_ghostnet_b1"])  # all kinds of block and activation
def test_a_network_learns_in_one_graph(name):
    network = create_model(cut(name), num_classes=7, dropout=0.2, drop_path=0.2).set_train()
    trainable = network.trainable_params()

    def loss_of(x):
        return ops.square(network(x)).mean()

    _, gradients = ms.jit(ms.value_and_grad(loss_of, None, trainable))(images(3, 3, 64))
    assert [p.name for p, g in zip(trainable, gradients) if not np.abs(g.asnumpy()).max() > 0] == []
    assert network.set_train(False)(images(2, 3, 64)).shape == (2, 7)


@given(architectures)
@settings(max_examples=15, phases=(Phase.explicit, Phase.generate))  # each takes long to build: no shrinking
def test_any_architecture_is_built_as_it_is_counted(network):
    cells = create_model(network, num_classes=5, in_channels=2)
    shapes = {timm: tuple(weights_of(cells)[own].shape) for own, timm in timm_names(cells).items()}
    expected = {k: v for layer in layers(network, 5, 2) for k, v in layer.shapes().items()}
    assert shapes == expected
    assert sum(p.size for p in cells.trainable_params()) == total_cost(network, 5, 2).parameters


@pytest.mark.parametrize("name", [*TINYNETS, "efficientnet_b0", "ghostnet_130", "s_ghostnet_b1"])
def test_a_hook_over_the_cells_counts_the_same_macs(pynative, name):
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
    assert macs == total_cost(ARCHITECTURES[name]).macs


@pytest.mark.parametrize("name", ["tinynet_e", "efficientnet_b0", "ghostnet_100"])
def test_the_last_map_leads_to_the_logits(pynative, name):
    network = create_model(name, num_classes=5).set_train(False)
    x = images(2, 3, 64)
    features = network.forward_features(x)
    assert features.shape == (2, network.num_features, 2, 2)
    assert network.forward_head(features, pre_logits=True).shape == (2, network.architecture.head)
    np.testing.assert_array_equal(network.forward_head(features).asnumpy(), network(x).asnumpy())


@pytest.mark.parametrize(
    "name, channels",
    [
        ("efficientnet_b0", [16, 24, 40, 112, 320]),  # timm's
        ("tinynet_e", [8, 16, 24, 56, 160]),
        ("ghostnet_100", [16, 24, 40, 112, 160]),
        ("s_ghostnet_b4", [36, 60, 108, 232, 336]),
    ],
)
def test_feature_maps_are_the_last_of_each_resolution(pynative, name, channels):
    extractor = create_model(name, features_only=True).set_train(False)
    assert (extractor.channels, extractor.reductions) == (channels, [2, 4, 8, 16, 32])
    maps = extractor(images(1, 3, 64))
    assert [m.shape for m in maps] == [(1, width, 64 // r, 64 // r) for width, r in zip(channels, [2, 4, 8, 16, 32])]
    names = {parameter.name for parameter in extractor.get_parameters()}
    whole = set(weights_of(create_model(name)))
    assert names < whole and not any("head" in name or "classifier" in name for name in names)


def test_feature_maps_are_those_of_the_network_and_its_weights():
    """In one graph: loaded into the network, seen in the maps; its own last block is the last map."""
    network = create_model("tinynet_e", num_classes=4).set_train(False)
    extractor = FeatureExtractor(network, out_indices=(1, 4)).set_train(False)
    x = images(1, 3, 64)
    network.conv_stem.weight.set_data(network.conv_stem.weight * 2)
    second, last = extractor(x)
    assert extractor.channels == [16, 160] and second.shape == (1, 16, 16, 16)
    expected = network.bn2(network.conv_head(last)).asnumpy()
    np.testing.assert_allclose(network.forward_features(x).asnumpy(), expected, atol=1e-5)


def test_a_stem_that_is_followed_by_a_stride_has_its_own_map(pynative):
    strided = ARCHITECTURES["tinynet_e"].stages[1:]
    architecture = Architecture("strided", "tinynet", 64, 8, strided, 32)
    extractor = create_model(architecture, features_only=True, out_indices=[0, 1]).set_train(False)
    assert (extractor.channels, extractor.reductions) == ([8, 16], [2, 4])
    assert [m.shape[2] for m in extractor(images(1, 3, 64))] == [32, 16]


@pytest.mark.parametrize("indices", [[], [5], [-1]])
def test_feature_maps_that_do_not_exist_are_refused(indices):
    with pytest.raises(UserError, match=r"out_indices is .*tinynet_e has feature maps 0 to 4"):
        create_model("tinynet_e", features_only=True, out_indices=indices)

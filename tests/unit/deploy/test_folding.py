"""BatchNorm folded into convolutions: the same values, without BatchNorm."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import nn

from src.deploy.folding import folded
from src.design.architecture import Style
from src.models import create_model
from src.networks.layers import BATCH_NORMS, Norm
from src.weights.names import weights_of


class Normalized(nn.Cell):
    """The three ways in which a BatchNorm can stand."""

    def __init__(self, has_bias):
        super().__init__()
        self.bn0 = Norm()(2, Style())  # after no convolution
        self.conv = nn.Conv2d(2, 6, 3, pad_mode="pad", padding=1, group=2, has_bias=has_bias)
        self.bn1 = Norm()(6, Style(bn_epsilon=0.1))

    def construct(self, x):
        return self.bn1(self.conv(self.bn0(x)))


def with_random_statistics(network, seed=0):
    rng = np.random.RandomState(seed)
    for parameter in network.get_parameters():
        values = rng.uniform(0.5, 1.5, parameter.shape).astype(np.float32)
        if "variance" not in parameter.name:
            values -= 1
        parameter.set_data(ms.Tensor(values))
    return network.set_train(False)


@pytest.mark.parametrize("has_bias", [False, True])
def test_the_folded_convolution_is_convolution_and_norm(has_bias):
    network = with_random_statistics(Normalized(has_bias))
    copy = folded(network)
    assert isinstance(copy.bn0, nn.BatchNorm2d) and not isinstance(copy.bn1, nn.BatchNorm2d)

    values = {name: p.asnumpy().astype(np.float64) for name, p in weights_of(network).items()}
    scale = values["bn1.gamma"] / np.sqrt(values["bn1.moving_variance"] + 0.1)
    bias = values["bn1.beta"] + (values.get("conv.bias", 0) - values["bn1.moving_mean"]) * scale
    weight = values["conv.weight"] * scale.reshape(-1, 1, 1, 1)
    assert np.array_equal(copy.conv.weight.asnumpy(), weight.astype(np.float32))
    assert np.array_equal(copy.conv.bias.asnumpy(), bias.astype(np.float32))

    images = ms.Tensor(np.random.RandomState(1).randn(2, 2, 5, 5).astype(np.float32))
    assert np.allclose(copy(images).asnumpy(), network(images).asnumpy(), atol=1e-6)


def test_a_whole_network_keeps_its_names_and_loses_its_norms():
    network = create_model("tinynet_e", num_classes=3)
    before = {name: p.asnumpy().copy() for name, p in weights_of(network).items()}
    copy = folded(network)
    assert not any(isinstance(cell, BATCH_NORMS) for _, cell in copy.cells_and_names())
    kept = {name for name in before if not name.rsplit(".", 1)[1].startswith(("gamma", "beta", "moving"))}
    convolutions = {name for name, cell in network.cells_and_names() if isinstance(cell, nn.Conv2d)}
    assert set(weights_of(copy)) == kept | {f"{name}.bias" for name in convolutions}
    assert all(parameter.name == name for name, parameter in weights_of(copy).items())
    after = weights_of(network)
    assert set(after) == set(before) and all(np.array_equal(after[name].asnumpy(), before[name]) for name in before)

"""Weights of files are loaded into the network that they belong to, and into no other."""

import mindspore as ms
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from src.errors import UserError
from src.models import create_model
from src.tinynet import tinynet
from src.weights.ckpt import save_ckpt
from src.weights.loading import load_weights, save_safetensors
from src.weights.names import timm_names, weights_of
from src.weights.readers import read_weights


def small(num_classes=5, seed=0):
    network = tinynet(0.2, 0.1, 0.1, num_classes=num_classes)
    rng = np.random.RandomState(seed)
    for parameter in network.get_parameters():
        parameter.set_data(ms.Tensor(rng.rand(*parameter.shape).astype(np.float32)))
    return network


def values(network):
    return {name: parameter.asnumpy() for name, parameter in weights_of(network).items()}


def assert_equal(one, other):
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])


@pytest.fixture
def saved(tmp_path):
    network = small()
    save_safetensors(network, tmp_path / "w.safetensors")
    save_ckpt(values(network), tmp_path / "w.ckpt", {"model": "tinynet_x", "classes": ["ä", "b c"]})
    return network, tmp_path


@pytest.mark.parametrize("suffix", [".safetensors", ".ckpt"])
def test_weights_travel_without_loss(saved, suffix):
    network, folder = saved
    other = small(seed=1)
    report = load_weights(other, read_weights(folder / f"w{suffix}"))
    assert_equal(values(network), values(other))
    assert len(report.loaded) == len(timm_names(network))
    assert not report.skipped and not report.replaced


def test_safetensors_carry_timms_names_and_nothing_else(saved):
    network, folder = saved
    assert load_file(folder / "w.safetensors").keys() == set(timm_names(network).values())


def test_half_precision_and_batch_counters_are_taken(saved):
    network, folder = saved
    tensors = {name: value.astype(np.float16) for name, value in load_file(folder / "w.safetensors").items()}
    save_file(tensors | {"bn1.num_batches_tracked": np.array(7)}, folder / "half.safetensors")
    load_weights(small(seed=1), read_weights(folder / "half.safetensors"))


def test_another_class_count_swaps_the_head_only_when_asked(saved):
    network, folder = saved
    other = small(num_classes=3, seed=1)
    before = values(other)
    with pytest.raises(UserError, match="5 classes, the network 3.*--replace_head"):
        load_weights(other, read_weights(folder / "w.ckpt"))
    assert_equal(before, values(other))
    report = load_weights(other, read_weights(folder / "w.ckpt"), replace_head=True)
    assert report.replaced == ("classifier.weight", "classifier.bias")
    np.testing.assert_array_equal(other.classifier.weight.asnumpy(), before["classifier.weight"])
    np.testing.assert_array_equal(other.conv_stem.weight.asnumpy(), network.conv_stem.weight.asnumpy())


@pytest.mark.parametrize(
    "model, file", [("tinynet_a", "tinynet_e"), ("tinynet_e", "tinynet_a"), ("tinynet_c", "tinynet_d")]
)
def test_weights_of_another_network_are_refused_and_change_nothing(model, file, tmp_path):
    save_safetensors(create_model(file, num_classes=2), tmp_path / "w.safetensors")
    network = create_model(model, num_classes=2)
    before = values(network)
    with pytest.raises(UserError, match="is --model right"):
        load_weights(network, read_weights(tmp_path / "w.safetensors"))
    assert_equal(before, values(network))

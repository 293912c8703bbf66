import sys

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


def test_checkpoint_says_what_it_holds(saved):
    assert read_weights(saved[1] / "w.ckpt").meta == {"model": "tinynet_x", "classes": ["ä", "b c"]}


def test_half_precision_and_batch_counters_are_taken(saved):
    network, folder = saved
    tensors = {name: value.astype(np.float16) for name, value in load_file(folder / "w.safetensors").items()}
    save_file(tensors | {"bn1.num_batches_tracked": np.array(7)}, folder / "half.safetensors")
    load_weights(small(seed=1), read_weights(folder / "half.safetensors"))


def test_average_is_preferred_unless_the_raw_weights_scored_better(saved):
    network, folder = saved
    raw = values(network)
    both = raw | {"ema." + name: value + 1 for name, value in raw.items()}
    save_ckpt(both, folder / "both.ckpt", {"better": "raw"})
    assert read_weights(folder / "both.ckpt").kind == "raw"
    averaged = read_weights(folder / "both.ckpt", "ema")
    np.testing.assert_array_equal(averaged.tensors["conv_stem.weight"], raw["conv_stem.weight"] + 1)
    save_ckpt(both, folder / "both.ckpt", {"better": "ema"})
    assert_equal(read_weights(folder / "both.ckpt").tensors, averaged.tensors)
    with pytest.raises(UserError, match="no averaged weights"):
        read_weights(folder / "w.safetensors", "ema")


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


@pytest.mark.parametrize("suffix", [".safetensors", ".ckpt"])
@pytest.mark.parametrize("damage", ["empty", "text", "header", "half", "last byte"])
def test_damaged_files_are_named(saved, suffix, damage):
    path = saved[1] / f"w{suffix}"
    content = path.read_bytes()
    cut = {"empty": 0, "header": 4, "half": len(content) // 2, "last byte": len(content) - 1}
    path.write_bytes(b"these are no weights" if damage == "text" else content[: cut[damage]])
    with pytest.raises(UserError, match=path.name):
        load_weights(small(), read_weights(path))


def test_a_flipped_bit_in_a_checkpoint_is_found(saved):
    path = saved[1] / "w.ckpt"
    content = path.read_bytes()
    for position in np.random.RandomState(0).randint(0, len(content), 20):
        broken = bytearray(content)
        broken[position] ^= 1 << (position % 8)
        path.write_bytes(broken)
        with pytest.raises(UserError, match=path.name):
            load_weights(small(), read_weights(path))


def test_values_that_are_not_finite_are_refused(saved):
    tensors = load_file(saved[1] / "w.safetensors")
    tensors["conv_stem.weight"][0, 0, 0, 0] = np.nan
    save_file(tensors, saved[1] / "nan.safetensors")
    with pytest.raises(UserError, match="conv_stem.weight holds values that are not finite"):
        read_weights(saved[1] / "nan.safetensors")


@pytest.mark.parametrize("name, words", [("nowhere.ckpt", "there is no weight file"), ("w.bin", "unknown kind")])
def test_wrong_paths(tmp_path, name, words):
    (tmp_path / "w.bin").write_bytes(b"x")
    with pytest.raises(UserError, match=words):
        read_weights(tmp_path / name)


def test_pth_without_torch_says_so(tmp_path, monkeypatch):
    (tmp_path / "w.pth").write_bytes(b"x")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(UserError, match="needs PyTorch"):
        read_weights(tmp_path / "w.pth")


def test_pth_with_torch(saved):
    torch = pytest.importorskip("torch", reason="reading .pth needs PyTorch, an optional package of several GB")
    network, folder = saved
    state = {name: torch.from_numpy(value) for name, value in load_file(folder / "w.safetensors").items()}
    torch.save({"state_dict": {"module." + name: value for name, value in state.items()}}, folder / "w.pth")
    other = small(seed=1)
    load_weights(other, read_weights(folder / "w.pth"))
    assert_equal(values(network), values(other))
    (folder / "no.pth").write_bytes(b"not a pickle")
    with pytest.raises(UserError, match="no.pth"):
        read_weights(folder / "no.pth")

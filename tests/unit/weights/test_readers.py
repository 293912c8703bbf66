"""Readers of weight files: the right tensors of each format, and one line for each fault."""

import sys

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from src.errors import UserError
from src.weights.ckpt import save_ckpt
from src.weights.readers import read_weights

META = {"model": "tinynet_x", "classes": ["ä", "b c"]}
TENSORS = {
    "conv_stem.weight": np.random.RandomState(0).rand(4, 3, 3, 3).astype(np.float32),
    "classifier.weight": np.random.RandomState(1).rand(5, 4).astype(np.float32),
}
AVERAGED = {name: value + 1 for name, value in TENSORS.items()}


def assert_equal(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value)


@pytest.fixture
def folder(tmp_path):
    """The tensors as w.safetensors and w.ckpt."""
    save_file(TENSORS, tmp_path / "w.safetensors")
    save_ckpt(TENSORS, tmp_path / "w.ckpt", META)
    return tmp_path


@pytest.fixture
def training_checkpoint(tmp_path):
    """Return a function from the better kind of weights to a checkpoint of raw and averaged weights."""

    def write(better):
        path = tmp_path / f"{better}.ckpt"
        averaged = {"ema." + name: value for name, value in AVERAGED.items()}
        optimizer = {"optimizer." + name: value for name, value in TENSORS.items()}
        save_ckpt(TENSORS | averaged | optimizer, path, {"better": better})
        return path

    return write


@pytest.mark.parametrize("suffix", [".safetensors", ".ckpt"])
def test_tensors_are_read_from_every_format(folder, suffix):
    assert_equal(read_weights(folder / f"w{suffix}").tensors, TENSORS)


def test_a_checkpoint_has_meta(folder):
    assert read_weights(folder / "w.ckpt").meta == META


def test_published_weights_have_no_meta(folder):
    assert read_weights(folder / "w.safetensors").meta == {}


def test_the_classifier_gives_the_number_of_classes(folder):
    assert read_weights(folder / "w.ckpt").num_classes == 5


def test_a_file_without_a_classifier_is_named(tmp_path):
    save_file({"conv_stem.weight": TENSORS["conv_stem.weight"]}, tmp_path / "w.safetensors")
    with pytest.raises(UserError, match="w.safetensors holds no classifier.weight"):
        _ = read_weights(tmp_path / "w.safetensors").num_classes


@pytest.mark.parametrize("better, expected", [("raw", TENSORS), ("ema", AVERAGED)])
def test_the_better_weights_of_a_training_checkpoint_are_read(training_checkpoint, better, expected):
    weights = read_weights(training_checkpoint(better))
    assert weights.kind == better
    assert_equal(weights.tensors, expected)


@pytest.mark.parametrize("better", ["raw", "ema"])
@pytest.mark.parametrize("prefer, expected", [("raw", TENSORS), ("ema", AVERAGED)])
def test_the_preferred_weights_are_read_if_they_are_named(training_checkpoint, better, prefer, expected):
    assert_equal(read_weights(training_checkpoint(better), prefer).tensors, expected)


def test_averaged_weights_that_are_missing_are_an_error(folder):
    with pytest.raises(UserError, match="no averaged weights"):
        read_weights(folder / "w.safetensors", "ema")


@pytest.mark.parametrize("suffix", [".safetensors", ".ckpt"])
@pytest.mark.parametrize("damage", ["empty", "text", "header", "half", "last byte"])
def test_damaged_files_are_named(folder, suffix, damage):
    path = folder / f"w{suffix}"
    content = path.read_bytes()
    cut = {"empty": 0, "header": 4, "half": len(content) // 2, "last byte": len(content) - 1}
    path.write_bytes(b"these are no weights" if damage == "text" else content[: cut[damage]])
    with pytest.raises(UserError, match=path.name):
        read_weights(path)


def test_a_flipped_bit_in_a_checkpoint_is_found(folder):
    path = folder / "w.ckpt"
    content = path.read_bytes()
    for position in np.random.RandomState(0).randint(0, len(content), 20):
        broken = bytearray(content)
        broken[position] ^= 1 << (position % 8)
        path.write_bytes(broken)
        with pytest.raises(UserError, match=path.name):
            read_weights(path)


def test_values_that_are_not_finite_are_refused(folder):
    tensors = load_file(folder / "w.safetensors")
    tensors["conv_stem.weight"][0, 0, 0, 0] = np.nan
    save_file(tensors, folder / "nan.safetensors")
    with pytest.raises(UserError, match="conv_stem.weight holds values that are not finite"):
        read_weights(folder / "nan.safetensors")


@pytest.mark.parametrize("name, words", [("nowhere.ckpt", "there is no weight file"), ("w.bin", "unknown kind")])
def test_missing_files_and_unknown_suffixes_are_named(tmp_path, name, words):
    (tmp_path / "w.bin").write_bytes(b"x")
    with pytest.raises(UserError, match=words):
        read_weights(tmp_path / name)


def test_pth_without_torch_says_so(tmp_path, monkeypatch):
    (tmp_path / "w.pth").write_bytes(b"x")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(UserError, match="needs PyTorch"):
        read_weights(tmp_path / "w.pth")


def test_pth_with_torch(folder):
    torch = pytest.importorskip("torch", reason="reading .pth needs PyTorch, an optional package of several GB")
    state = {"module." + name: torch.from_numpy(value) for name, value in TENSORS.items()}
    torch.save({"state_dict": state}, folder / "w.pth")
    assert_equal(read_weights(folder / "w.pth").tensors, TENSORS)


def test_a_damaged_pth_is_named(folder):
    pytest.importorskip("torch", reason="reading .pth needs PyTorch, an optional package of several GB")
    (folder / "no.pth").write_bytes(b"not a pickle")
    with pytest.raises(UserError, match="no.pth"):
        read_weights(folder / "no.pth")

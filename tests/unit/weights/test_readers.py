"""Readers of weight files: the right tensors of each format, and one line for each fault."""

import json

import ml_dtypes
import numpy as np
import pytest
from mindspore.train.checkpoint_pb2 import Checkpoint
from safetensors.numpy import load_file, save_file
from support.foreign import write
from support.project import GOLDEN

from src.errors import UserError
from src.weights.ckpt import save_ckpt, save_plain_ckpt
from src.weights.readers import read_weights

FLOATS = tuple(map(np.dtype, (np.float64, np.float16, ml_dtypes.bfloat16)))
FLOATS8 = tuple(map(np.dtype, (ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2)))  # MindSpore's files have none
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


def test_a_transposed_classifier_is_named(tmp_path):
    tensors = {"classifier.weight": np.ones((4, 5), np.float32), "classifier.bias": np.ones(5, np.float32)}
    save_file(tensors, tmp_path / "w.safetensors")
    with pytest.raises(UserError, match=r"classifier.weight has the shape \[4, 5\] and its bias \[5\]; expected"):
        _ = read_weights(tmp_path / "w.safetensors").num_classes


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


@pytest.mark.parametrize(
    "name, words",
    [("nowhere.ckpt", "there is no weight file"), ("w.ckpt", "w.ckpt is empty"), ("", "is a folder")],
)
def test_missing_and_empty_files_are_named(tmp_path, name, words):
    (tmp_path / "w.ckpt").touch()
    with pytest.raises(UserError, match=words):
        read_weights(tmp_path / name)


@pytest.mark.parametrize("prefer, kind, first", [("auto", "ema", 100), ("raw", "raw", 0), ("ema", "ema", 100)])
def test_the_preferred_weights_of_a_pytorch_checkpoint_are_read(prefer, kind, first):
    weights = read_weights(GOLDEN / "pth" / "training.pth.tar", prefer)
    assert (weights.kind, weights.tensors["conv_stem.weight"].flat[0]) == (kind, first)


@pytest.mark.parametrize(
    "suffix, dtype",
    [(".safetensors", dtype) for dtype in (*FLOATS, *FLOATS8)] + [(".ckpt", dtype) for dtype in FLOATS],
    ids=str,
)
def test_weights_of_every_float_type_become_float32(tmp_path, suffix, dtype):
    tensors = {name: value.astype(dtype) for name, value in TENSORS.items()}
    path = tmp_path / f"w{suffix}"
    save_file(tensors, path) if suffix == ".safetensors" else save_plain_ckpt(tensors, path)
    found = read_weights(path).tensors
    assert {value.dtype for value in found.values()} == {np.dtype(np.float32)}
    assert_equal(found, {name: value.astype(np.float32) for name, value in tensors.items()})


def test_quantized_weights_are_named(folder):
    save_file(TENSORS | {"bn1.weight": np.ones(3, np.int8)}, folder / "int8.safetensors")
    with pytest.raises(UserError, match="bn1.weight is of type int8; expected floating-point weights"):
        read_weights(folder / "int8.safetensors")


STATISTICS = {"bn1.moving_mean": np.zeros(4, np.float32), "bn1.moving_variance": np.ones(4, np.float32)}
TRAINED = TENSORS | {"bn1.gamma": np.ones(4, np.float32)}


def test_averages_of_another_program_are_read_unless_the_raw_weights_are_wanted(tmp_path):
    whole = TRAINED | STATISTICS
    path = write(tmp_path / "w.ckpt", whole | {"ema." + name: value + 1 for name, value in whole.items()})
    assert_equal(read_weights(path).tensors, {name: value + 1 for name, value in whole.items()})
    assert_equal(read_weights(path, "raw").tensors, whole)


def test_averages_of_some_tensors_are_refused(tmp_path):
    averages = {"ema." + name: value for name, value in TRAINED.items()}
    path = write(tmp_path / "w.ckpt", TRAINED | STATISTICS | averages)
    with pytest.raises(UserError, match="no average of 2 tensors, such as bn1.moving_mean; use --weights raw"):
        read_weights(path)
    assert_equal(read_weights(path, "raw").tensors, TRAINED | STATISTICS)


def test_the_state_of_an_optimizer_is_refused_with_the_reason(tmp_path):
    path = write(tmp_path / "optim_x.ckpt", TRAINED | {"moments." + name: value for name, value in TRAINED.items()})
    with pytest.raises(UserError, match=r"no running statistics of BatchNorm.* optim_\*.ckpt. Give the checkpoint"):
        read_weights(path)


def test_single_numbers_of_early_mindspore_are_read(tmp_path):
    """Their shape is written as (0)."""
    path = write(tmp_path / "w.ckpt", TENSORS)
    message = Checkpoint.FromString(path.read_bytes())
    record = message.value.add(tag="momentum").tensor
    record.dims.append(0)
    record.tensor_type, record.tensor_content = "Float32", np.float32(0.9).tobytes()
    path.write_bytes(message.SerializeToString())
    weights = read_weights(path)
    assert_equal(weights.tensors, TENSORS)
    assert weights.others == ("momentum",)


@pytest.mark.parametrize("name, expected", [("tf_efficientnet_b0", {"model": "tf_efficientnet_b0"}), ("resnet50", {})])
def test_the_config_of_the_hub_names_the_network(tmp_path, name, expected):
    (tmp_path / "config.json").write_text(json.dumps({"architecture": name, "num_classes": 1000}))
    save_file(TENSORS, tmp_path / "model.safetensors")
    save_file(TENSORS, tmp_path / "mine.safetensors")
    assert read_weights(tmp_path / "model.safetensors").meta == expected
    assert read_weights(tmp_path / "mine.safetensors").meta == {}


TIMM_CONFIG = {
    "architecture": "efficientnet_b2",
    "pretrained_cfg": {
        "input_size": [3, 256, 256], "test_input_size": [3, 288, 288], "crop_pct": 0.95, "test_crop_pct": 1.0,
        "interpolation": "bicubic", "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25],
    },
}  # fmt: skip


@pytest.mark.parametrize("training, size, crop_pct", [(True, 256, 0.95), (False, 288, 1.0)])
def test_the_config_of_the_hub_says_how_images_are_prepared(tmp_path, training, size, crop_pct):
    (tmp_path / "config.json").write_text(json.dumps(TIMM_CONFIG))
    save_file(TENSORS, tmp_path / "model.safetensors")
    preprocess = read_weights(tmp_path / "model.safetensors", training=training).meta["preprocess"]
    assert preprocess == {"size": size, "crop_pct": crop_pct, "mean": [0.5] * 3, "std": [0.25] * 3}


def test_images_that_cannot_be_prepared_as_the_config_asks_are_refused(tmp_path):
    config = TIMM_CONFIG | {"pretrained_cfg": TIMM_CONFIG["pretrained_cfg"] | {"interpolation": "bilinear"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    save_file(TENSORS, tmp_path / "model.safetensors")
    with pytest.raises(
        UserError,
        match="interpolation is 'bilinear'; expected one of bicubic; this project cannot prepare such images; to load",
    ):
        read_weights(tmp_path / "model.safetensors")


@pytest.mark.parametrize("text", ["", "[1]", '{"architecture": 3}', "\xff"])
def test_another_config_beside_the_weights_is_passed_over(tmp_path, text):
    (tmp_path / "config.json").write_text(text, encoding="latin-1")
    save_file(TENSORS, tmp_path / "model.safetensors")
    assert read_weights(tmp_path / "model.safetensors").meta == {}

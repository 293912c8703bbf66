"""Networks by name, from architecture files and from checkpoints."""

from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from support.foreign import foreign, write
from support.small_network import ONE_BLOCK

from mindspore_hub_conf import create_network
from src.config import EvalConfig
from src.deploy.weights_only import save_weights
from src.design.architecture import FAMILIES
from src.design.architecture_file import save_architecture, to_dict
from src.design.differences import differences
from src.design.families import ARCHITECTURES, label
from src.errors import UserError
from src.images.preprocess import Preprocess
from src.models import CELLS, LoadedModel, architecture_of, chosen_preprocess, create_model, load_model
from src.weights.ckpt import save_ckpt
from src.weights.loading import save_safetensors
from src.weights.names import weights_of
from src.weights.readers import read_weights


def test_hub_builds_by_name():
    assert create_network("tinynet_e", num_classes=3).num_classes == 3
    with pytest.raises(NotImplementedError, match="tinynet_z.*tinynet_a"):
        create_network("tinynet_z")


def test_a_checkpoint_says_model_classes_and_size(tmp_path):
    network = create_model("tinynet_e", num_classes=2)
    meta = {"model": "tinynet_e", "classes": ["a", "b"], "preprocess": Preprocess(40, 0.9).as_dict()}
    save_ckpt({name: p.asnumpy() for name, p in weights_of(network).items()}, tmp_path / "w.ckpt", meta)
    model = load_model(EvalConfig(ckpt=tmp_path / "w.ckpt"))
    assert (model.name, model.classes, model.preprocess) == ("tinynet_e", ("a", "b"), Preprocess(40, 0.9))
    assert not model.network.training
    assert load_model(EvalConfig(ckpt=tmp_path / "w.ckpt", input_size=64), 1.0).preprocess == Preprocess(64, 1.0)


def test_every_family_has_cells():
    assert set(CELLS) == set(FAMILIES)


def test_a_checkpoint_without_a_family_still_loads(tmp_path):
    described = to_dict(ARCHITECTURES["ghostnet_050"])
    del described["family"]
    weights = {name: p.asnumpy() for name, p in weights_of(create_model("ghostnet_050", num_classes=2)).items()}
    save_ckpt(weights, tmp_path / "old.ckpt", {"architecture": described})
    model = load_model(EvalConfig(ckpt=tmp_path / "old.ckpt"))
    assert model.network.architecture == ARCHITECTURES["ghostnet_050"]
    assert not model.report.skipped


def test_the_norm_of_the_training_is_the_norm_of_the_loaded_network(tmp_path):
    network = create_model("tinynet_e", num_classes=2)
    meta = {"model": "tinynet_e", "bn_epsilon": 0.01}
    save_ckpt({name: p.asnumpy() for name, p in weights_of(network).items()}, tmp_path / "w.ckpt", meta)
    assert load_model(EvalConfig(ckpt=tmp_path / "w.ckpt")).network.bn1.eps == 0.01
    with pytest.raises(UserError, match="num_classes is 3"):
        load_model(EvalConfig(ckpt=tmp_path / "w.ckpt", num_classes=3))


def test_plain_weights_take_the_networks_own_size_and_need_a_name(tmp_path):
    save_safetensors(create_model("tinynet_e", num_classes=2), tmp_path / "w.safetensors")
    model = load_model(EvalConfig(ckpt=tmp_path / "w.safetensors", model="tinynet_e"))
    assert model.preprocess == Preprocess(106, 0.875) and model.classes == ()
    save_file(load_file(tmp_path / "w.safetensors"), tmp_path / "plain.safetensors")  # as timm writes it
    with pytest.raises(UserError, match=r"model is missing: .* give --model \(the nearest is tinynet_e\)"):
        load_model(EvalConfig(ckpt=tmp_path / "plain.safetensors"))
    save_file({"classifier.weight": np.zeros((2, 5), np.float32)}, tmp_path / "far.safetensors")
    with pytest.raises(UserError, match=r"give --model \(no published network is near\)"):
        load_model(EvalConfig(ckpt=tmp_path / "far.safetensors"))
    assert load_model(EvalConfig(ckpt=tmp_path / "w.safetensors")).name == "tinynet_e"  # its metadata say so
    assert chosen_preprocess(create_model("tinynet_a"), {}).size == 192


def variant(network, **style):
    """Return the network with another style."""
    return replace(network, style=replace(network.style, **style))


B0 = ARCHITECTURES["efficientnet_b0"]
SAME_B0 = variant(B0, padding="same")


@pytest.fixture(scope="module")
def mindcv(tmp_path_factory):
    """Return what is read of a file of MindCV's EfficientNet-B0; its values do not matter here."""
    tensors = {name: np.zeros(shape, np.float32) for name, shape in foreign("mindcv_efficientnet_b0").shapes.items()}
    return read_weights(write(tmp_path_factory.mktemp("mindcv") / "w.ckpt", tensors))


@pytest.mark.parametrize("model", ["efficientnet_b0", "tf_efficientnet_b0", None])
def test_weights_bring_their_padding_and_epsilon(mindcv, model):
    network = architecture_of(model, mindcv.meta, mindcv)
    assert not differences(network, SAME_B0)
    assert label(network) == f"{model or 'efficientnet_b0'} (same padding, epsilon 1e-5)"


def test_an_architecture_file_must_agree_with_the_weights(mindcv, tmp_path):
    save_architecture(variant(B0, bn_epsilon=1e-3), tmp_path / "mine.yaml")
    words = (
        "mine.yaml has style padding symmetric .not same.; style bn_epsilon 0.001 .not 1e-05., but .*w.ckpt was trained"
    )
    with pytest.raises(UserError, match=words):
        architecture_of(str(tmp_path / "mine.yaml"), {}, mindcv)
    save_architecture(SAME_B0, tmp_path / "mine.yaml")
    assert architecture_of(str(tmp_path / "mine.yaml"), {}, mindcv) == SAME_B0


@pytest.mark.parametrize("model", ["efficientnet_b0", None])
def test_a_checkpoint_of_a_variant_remains_one_when_it_is_resumed(model):
    assert architecture_of(model, {"architecture": to_dict(SAME_B0)}) == SAME_B0


def test_the_hubs_config_decides_what_equal_names_leave_open():
    assert not differences(
        architecture_of("efficientnet_b0", {"model": "tf_efficientnet_b0"}), ARCHITECTURES["tf_efficientnet_b0"]
    )


@pytest.mark.parametrize("suffix", [".safetensors", ".ckpt"])
def test_exported_weights_of_a_variant_are_loaded_into_the_variant(suffix, tmp_path):
    network = create_model(variant(ONE_BLOCK, padding="same", bn_epsilon=1e-3), num_classes=2)
    save_weights(LoadedModel("one_block", network, Preprocess(32), (), None, None), tmp_path / f"w{suffix}")
    found = load_model(EvalConfig(ckpt=tmp_path / f"w{suffix}")).network
    assert found.architecture == network.architecture
    assert (found.conv_stem.pad_mode, found.bn1.eps) == ("same", 1e-3)


def test_as_many_names_as_classes_are_expected(tmp_path):
    weights = {name: p.asnumpy() for name, p in weights_of(create_model("ghostnet_050", num_classes=2)).items()}
    save_ckpt(weights, tmp_path / "w.ckpt", {"model": "ghostnet_050", "classes": ["a", "b", "c"]})
    with pytest.raises(UserError, match="w.ckpt names 3 classes and has 2"):
        load_model(EvalConfig(ckpt=tmp_path / "w.ckpt"))

"""Networks by name, from architecture files and from checkpoints."""

import pytest

from mindspore_hub_conf import create_network
from src.config import EvalConfig
from src.design.architecture import FAMILIES
from src.design.architecture_file import to_dict
from src.design.families import ARCHITECTURES
from src.errors import UserError
from src.images.preprocess import Preprocess
from src.models import CELLS, chosen_preprocess, create_model, load_model
from src.weights.ckpt import save_ckpt
from src.weights.loading import save_safetensors
from src.weights.names import weights_of


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
    with pytest.raises(UserError, match="model is missing"):
        load_model(EvalConfig(ckpt=tmp_path / "w.safetensors"))
    assert chosen_preprocess(create_model("tinynet_a"), {}).size == 192

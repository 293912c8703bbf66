"""The configuration file beside an architecture file trains the network by the recipe of its family."""

import shutil

import pytest
from support.project import PROJECT

from src.cli import parse
from src.config import TrainConfig
from src.design.architecture import FAMILIES
from src.design.architecture_file import save_architecture
from src.design.families import ARCHITECTURES, EFFICIENTNET_B0, find_architecture
from src.design.shrink import shrink
from src.search.training_config import CONFIG, RECIPES, save_training_config


@pytest.mark.parametrize("folder", [PROJECT / "runs" / "of a test", None])
def test_what_is_written_trains_the_network_by_the_recipe_of_its_family(folder, tmp_path):
    folder = folder or tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    try:
        network = shrink(EFFICIENTNET_B0, 50e6).architecture
        save_architecture(network, folder / "net.yaml")
        config = parse(
            TrainConfig, ["--config", str(save_training_config(network, "Made by a test.", folder / "net.yaml"))]
        )
        assert find_architecture(config.model) == network
        published = parse(TrainConfig, ["--config", str(PROJECT / "config/tinynet_d.yaml")])
        assert config.model_copy(update={"model": "tinynet_d"}) == published
        assert " M MACs." in (folder / "net_train.yaml").read_text().splitlines()[0]
    finally:
        if folder != tmp_path:
            shutil.rmtree(folder)


def test_every_family_has_a_recipe():
    assert set(RECIPES) == set(FAMILIES)
    assert all((CONFIG / recipe).exists() for recipe in RECIPES.values())


@pytest.mark.parametrize(
    "name, recipe",
    [
        ("tinynet_a", "imagenet.yaml"),
        ("efficientnet_b0", "efficientnet.yaml"),
        ("ghostnet_100", "ghostnet.yaml"),
        ("s_ghostnet_b1", "s_ghostnet.yaml"),
    ],
)
def test_the_recipe_is_the_one_of_the_family(name, recipe, tmp_path):
    network = ARCHITECTURES[name]
    path = save_training_config(network, "Made by a test.", tmp_path / "net.yaml")
    assert f"config/{recipe}\n" in path.read_text()


@pytest.mark.parametrize("name", ["my net #1: small.yaml", "1e5.yaml", "'quoted'.yaml", "鱼.yaml"])
def test_any_name_of_a_file_can_be_trained(name, tmp_path):
    network = ARCHITECTURES["tinynet_e"]
    save_architecture(network, tmp_path / name)
    config = parse(TrainConfig, ["--config", str(save_training_config(network, "Made by a test.", tmp_path / name))])
    assert find_architecture(config.model) == network

"""The defaults of the recipe are the published recipe of config/imagenet.yaml."""

import pytest
from support.project import PROJECT

from src.cli import read_yaml
from src.config import TrainConfig

RECIPE = {key: value for key, (value, _) in read_yaml(PROJECT / "config/imagenet.yaml").items()}
DIFFERENCES = {  # key -> default; the reason is beside it
    "antialias": False,  # resizing as Pillow does makes decoding slower
    "loss_scale": 0,  # a dynamic scale suits every network; the authors' 1024 had no effect, because they used float32
    "crop_pct": None,  # weights that are evaluated bring their own; 0.875 if they do not
}


@pytest.mark.parametrize("key", RECIPE)
def test_a_default_is_the_published_value(key):
    default = TrainConfig.model_fields[key].default
    if key in DIFFERENCES:
        assert default == DIFFERENCES[key] != RECIPE[key]
    else:
        assert default == (pytest.approx(RECIPE[key], rel=1e-7) if isinstance(default, tuple) else RECIPE[key])


def test_every_difference_is_a_key_of_the_recipe():
    assert DIFFERENCES.keys() <= RECIPE.keys()

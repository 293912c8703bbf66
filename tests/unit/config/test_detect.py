"""A training of a detector without a configuration has torchvision's recipe."""

import pytest
from support.project import PROJECT

from src.cli import parse, read_yaml
from src.config import DetectTrainConfig, RecipeOptions, TrainConfig

RECIPE = {key: value for key, (value, _) in read_yaml(PROJECT / "config/ssdlite.yaml").items()}
DIFFERENCES = {  # key -> default; the reason is beside it
    "epochs": 100,  # of data sets that are smaller than COCO
    "warmup_epochs": 1,  # of the recipe's 660
    "min_score": 0.01,  # as in evaluation and export
    "input_size": 0,  # as the start weights were trained: 320 px for those of a classifier
}


@pytest.mark.parametrize("key", RECIPE)
def test_a_default_is_the_published_value(key):
    default = DetectTrainConfig.model_fields[key].default
    assert default == pytest.approx(DIFFERENCES[key]) != RECIPE[key] if key in DIFFERENCES else default == RECIPE[key]


def test_every_difference_is_a_key_of_the_recipe():
    assert DIFFERENCES.keys() <= RECIPE.keys()


def test_other_defaults_keep_texts_limits_and_groups_and_leave_classifiers_alone():
    ours, theirs = DetectTrainConfig.model_fields["lr"], RecipeOptions.model_fields["lr"]
    assert (ours.description, ours.metadata) == (theirs.description, theirs.metadata)
    assert DetectTrainConfig.group_titles["lr"] == "Recipe"
    assert theirs.default == TrainConfig.model_fields["lr"].default == 0.048


def test_flags_overrule_the_defaults():
    assert parse(DetectTrainConfig, ["--lr", "0.5", "--epochs", "1"]).lr == 0.5

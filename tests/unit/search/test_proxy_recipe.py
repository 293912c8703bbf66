"""config/search/proxy.yaml scores what a trial has learned at its end, the same on every machine."""

import pytest
from support.project import PROJECT

from src.cli import parse
from src.config import TrainConfig


@pytest.fixture(scope="module")
def recipe():
    return parse(TrainConfig, ["--config", str(PROJECT / "config/search/proxy.yaml")])


def test_the_last_epoch_alone_is_scored(recipe):
    assert recipe.eval_interval == recipe.epochs


def test_no_average_lags_behind_the_weights(recipe):
    assert recipe.ema_decay == 0


def test_the_number_of_cores_changes_no_crop(recipe):
    assert recipe.workers > 0


def test_no_digit_is_mirrored_or_cut(recipe):
    assert recipe.data_path == "scenes" and recipe.hflip == 0 and recipe.crop_scale[0] >= 0.9 and recipe.crop_pct == 1

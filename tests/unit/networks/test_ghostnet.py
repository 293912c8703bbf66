"""GhostNet against timm, and the Cells of its families."""

import pytest
from support.golden_networks import assert_equals_timm

from src.models import create_model
from src.networks.ghostnet import GhostNet


def test_logits_and_features_equal_timm(tmp_path):
    assert_equals_timm("ghostnet_100", tmp_path)


@pytest.mark.parametrize("name", ["ghostnet_050", "s_ghostnet_b1"])
def test_ghostnet_and_s_ghostnet_have_the_same_cells(name):
    assert type(create_model(name, num_classes=3)) is GhostNet

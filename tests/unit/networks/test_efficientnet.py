"""EfficientNet against timm, and the Cells of its family."""

import pytest
from support.golden_networks import assert_equals_timm

from src.models import create_model
from src.networks.efficientnet import EfficientNet
from src.tinynet import TinyNet


@pytest.mark.parametrize("name", ["efficientnet_b0", "efficientnet_b2"])
def test_logits_and_features_equal_timm(name, tmp_path):
    assert_equals_timm(name, tmp_path)


def test_inverse_giants_are_efficientnets_and_not_tinynets():
    assert type(create_model("efficientnet_b_minus_4", num_classes=3)) is EfficientNet


def test_tinynet_is_a_shrunk_efficientnet():
    assert issubclass(TinyNet, EfficientNet)

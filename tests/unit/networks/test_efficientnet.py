import pytest
from support.golden_networks import assert_equals_timm

from src.design.families import ARCHITECTURES
from src.models import create_model
from src.networks.efficientnet import EfficientNet, efficientnet


@pytest.mark.parametrize("name", ["efficientnet_b0", "efficientnet_b2"])
def test_logits_and_features_equal_timm(name, tmp_path):
    assert_equals_timm(name, tmp_path)


def test_phi_scales_b0():
    network = efficientnet(-5.85, num_classes=3)
    assert isinstance(network, EfficientNet)
    assert network.architecture.stages == ARCHITECTURES["efficientnet_b_minus_4"].stages
    assert isinstance(create_model("efficientnet_b_minus_4"), EfficientNet)

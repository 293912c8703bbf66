from support.golden_networks import assert_equals_timm

from src.design.families import ARCHITECTURES
from src.models import create_model
from src.networks.ghostnet import GhostNet, ghostnet


def test_logits_and_features_equal_timm(tmp_path):
    assert_equals_timm("ghostnet_100", tmp_path)


def test_width_multiplies():
    network = ghostnet(0.5, num_classes=3)
    assert isinstance(network, GhostNet)
    assert network.architecture.stages == ARCHITECTURES["ghostnet_050"].stages
    assert isinstance(create_model("s_ghostnet_b1"), GhostNet)

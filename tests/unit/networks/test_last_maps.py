"""The two maps that SSDLite is attached to are those that the network computes."""

import numpy as np
import pytest
from mindspore import Tensor
from support.exporting import cut

from src.design.detector import Detector
from src.models import create_model
from src.networks.last_maps import LastMaps

IMAGES = Tensor(np.random.RandomState(0).randn(2, 3, 48, 48).astype(np.float32))


def network(name):
    return create_model(cut(name).at(48), num_classes=3).set_train(False)


@pytest.mark.parametrize("name", ["tinynet_e", "ghostnet_050"])
@pytest.mark.parametrize("last", ["head", "block"])
def test_the_maps_are_those_of_the_network(pynative, name, last):
    whole = network(name)
    detector = Detector(whole.architecture, 3, last)
    first, second = LastMaps(whole, detector.tapped, last)(IMAGES)
    blocks = [block for group in whole.blocks for block in group]
    x = whole.bn1(whole.conv_stem(IMAGES))
    for block in blocks[: detector.tapped]:
        x = block(x)
    np.testing.assert_array_equal(first.asnumpy(), blocks[detector.tapped].expand(x).asnumpy())
    for block in blocks[detector.tapped : len(detector.blocks)]:
        x = block(x)
    expected = whole.forward_features(IMAGES) if last == "head" else x
    np.testing.assert_array_equal(second.asnumpy(), expected.asnumpy())
    shapes = tuple((level.channels, level.size, level.size) for level in detector.levels()[:2])
    assert (first.shape[1:], second.shape[1:]) == shapes


def test_a_block_without_expansion_gives_its_input(pynative):
    block = network("tinynet_e").blocks[0][0]
    x = Tensor(np.ones((1, block.conv_dw.in_channels, 4, 4), np.float32))
    assert block.expand(x) is x

"""SSDLite's Cells: the layers of its table on any backbone, gradients, and boxes decoded as NumPy decodes them."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor
from support.exporting import cut
from support.small_network import SMALL, small

from src.design.detector import Detector, detector_cost, detector_layers
from src.design.families import ARCHITECTURES
from src.detection.anchors import anchor_boxes
from src.detection.boxes import clip, decode
from src.detection.loss import DetectorWithLoss
from src.detection.network import BoxesAndScores, SSDLite, ssdlite
from src.errors import UserError
from src.models import create_model
from src.networks.layers import BATCH_NORMS
from src.weights.names import timm_names, weights_of

IMAGES = Tensor(np.random.RandomState(3).randn(2, 3, 40, 40).astype(np.float32))


def detector(**options):
    return ssdlite(small(), 4, 40, extra=(16, 8), **options).set_train(False)


@pytest.mark.parametrize("last_map", ["head", "block"])
@pytest.mark.parametrize("name", ["tinynet_e", "ghostnet_050", "s_ghostnet_b1", "tf_efficientnet_b0"])
def test_a_detector_has_the_layers_of_its_table(name, last_map):
    backbone = create_model(cut(name), num_classes=3)
    network = ssdlite(backbone, 7, 96, last_map=last_map)
    parameters, names = weights_of(network), timm_names(network)
    expected = {key: shape for layer in detector_layers(network.detector) for key, shape in layer.shapes().items()}
    assert {timm: tuple(parameters[own].shape) for own, timm in names.items()} == expected
    assert sum(p.size for p in network.trainable_params()) == detector_cost(network.detector).parameters


def test_a_backbone_keeps_the_epsilon_of_its_weights():
    backbone = create_model(ARCHITECTURES["tf_efficientnet_b0"].with_epsilon(1e-2), num_classes=3)
    network = ssdlite(backbone, 2)
    epsilons = {name: cell.eps for name, cell in network.cells_and_names() if isinstance(cell, BATCH_NORMS)}
    assert {eps for name, eps in epsilons.items() if name.startswith("maps.")} == {1e-2}
    assert {eps for name, eps in epsilons.items() if name.startswith("head.")} == {1e-3}


def test_predictions_are_in_the_order_of_anchors(pynative):
    network = detector()
    logits, codes = network(IMAGES)
    count = network.detector.anchors
    assert (
        logits.shape == (2, count, 5) and codes.shape == (2, count, 4) and len(anchor_boxes(network.detector)) == count
    )
    head, level = network.head.box_head[0], network.detector.levels()[0]
    first, _ = network.maps(IMAGES)
    raw = head.conv_pw(head.bn1(head.conv_dw(first))).asnumpy()  # (N, anchors * 4, H, W)
    row, column, anchor = 3, 2, 5
    index = (row * level.size + column) * network.detector.anchors_per_cell + anchor
    np.testing.assert_array_equal(codes.asnumpy()[:, index], raw[:, 4 * anchor : 4 * anchor + 4, row, column])


def test_decoded_boxes_and_scores_are_those_of_numpy(pynative):
    network = detector()
    for head in network.head.box_head:  # so that boxes move far, and some reach the limit of their size
        head.conv_pw.bias.set_data(Tensor(np.tile([9, -7, 40, -3], 6).astype(np.float32)))
    boxes, scores = (value.asnumpy() for value in BoxesAndScores(network)(IMAGES))
    logits, codes = (value.asnumpy() for value in network(IMAGES))
    expected = clip(decode(codes, anchor_boxes(network.detector)), 40, 40)
    np.testing.assert_allclose(boxes, expected, atol=1e-3)
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    np.testing.assert_allclose(scores, powers / powers.sum(-1, keepdims=True), atol=1e-6)


def test_every_parameter_gets_a_gradient(pynative):
    network = detector().set_train()
    trainable, count = network.trainable_params(), network.detector.anchors
    rng = np.random.RandomState(0)
    labels = Tensor(rng.randint(0, 5, (2, count)).astype(np.int32))
    target = Tensor(rng.randn(2, count, 4).astype(np.float32))
    _, gradients = ms.value_and_grad(DetectorWithLoss(network), None, trainable)(IMAGES, labels, target)
    assert [p.name for p, g in zip(trainable, gradients) if not np.abs(g.asnumpy()).max() > 0] == []


def test_weights_of_the_classifier_change_the_detector():
    backbone = small()
    network = SSDLite(backbone, Detector(SMALL, 4))
    own = {p.name for p in network.get_parameters()}
    body = {p.name for p in backbone.get_parameters() if not p.name.startswith("classifier")}
    assert body < own
    backbone.conv_stem.weight.set_data(Tensor(np.zeros(backbone.conv_stem.weight.shape, np.float32)))
    assert not weights_of(network)["conv_stem.weight"].asnumpy().any()


def test_a_detector_without_classes_is_refused():
    with pytest.raises(UserError, match="num_classes is 0"):
        ssdlite(small(), 0)

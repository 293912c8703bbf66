"""SSDLite in MindSpore: extra blocks and heads on the maps of a backbone, and the boxes that its codes stand for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import mindspore as ms
import numpy as np
from mindspore import Tensor, nn, ops

from src.design.architecture import Style
from src.design.detector import Detector, Level
from src.detection.anchors import anchor_boxes
from src.detection.boxes import CODE_WEIGHTS, LARGEST_LOG
from src.networks.last_maps import LastMaps
from src.networks.layers import Norm, convolution
from src.networks.network import Network

HEAD_STYLE = Style(bn_epsilon=1e-3)  # torchvision's; the backbone keeps the epsilon that its weights were trained with
HEAD_DEVIATION = 0.03  # of the normal distribution that new convolutions are drawn from (torchvision)


class ExtraBlock(nn.Cell):
    """1x1 to half the channels, 3x3 depthwise of stride 2, 1x1: half the width and height, rounded up."""

    def __init__(self, inputs: int, outputs: int, norm: Norm) -> None:
        super().__init__()
        half = outputs // 2
        self.conv_pw = convolution(inputs, half, 1)
        self.bn1 = norm(half, HEAD_STYLE, "relu6")
        self.conv_dw = convolution(half, half, 3, stride=2, groups=half)
        self.bn2 = norm(half, HEAD_STYLE, "relu6")
        self.conv_pwl = convolution(half, outputs, 1)
        self.bn3 = norm(outputs, HEAD_STYLE, "relu6")

    def construct(self, x: Tensor) -> Tensor:
        x = self.bn2(self.conv_dw(self.bn1(self.conv_pw(x))))
        return self.bn3(self.conv_pwl(x))


class Predictor(nn.Cell):
    """3x3 depthwise and 1x1: a map (N, C, S, S) to `values` numbers of each anchor, (N, S * S * anchors, values)."""

    def __init__(self, level: Level, anchors: int, values: int, norm: Norm) -> None:
        super().__init__()
        channels, size = level
        self.shape = (-1, size * size * anchors, values)  # not the batch: exported files take any
        self.conv_dw = convolution(channels, channels, 3, groups=channels)
        self.bn1 = norm(channels, HEAD_STYLE, "relu6")
        self.conv_pw = convolution(channels, anchors * values, 1, bias=True)

    def construct(self, x: Tensor) -> Tensor:
        x = self.conv_pw(self.bn1(self.conv_dw(x)))
        return x.transpose(0, 2, 3, 1).reshape(self.shape)


class SSDLiteHead(nn.Cell):
    """The extra blocks, and two predictors for each level: the two maps of the backbone to logits and codes."""

    def __init__(self, detector: Detector, norm: Norm) -> None:
        super().__init__()
        levels, anchors = detector.levels(), detector.anchors_per_cell
        pairs = zip(levels[1:], levels[2:])
        self.extra = nn.CellList([ExtraBlock(before.channels, after.channels, norm) for before, after in pairs])
        self.class_head = nn.CellList([Predictor(level, anchors, detector.outputs, norm) for level in levels])
        self.box_head = nn.CellList([Predictor(level, anchors, 4, norm) for level in levels])
        _initialize(self)

    def construct(self, first: Tensor, last: Tensor) -> tuple[Tensor, Tensor]:
        maps = [first, last]
        for block in self.extra:
            maps.append(block(maps[-1]))
        logits = [head(x) for head, x in zip(self.class_head, maps)]
        codes = [head(x) for head, x in zip(self.box_head, maps)]
        return ops.concat(logits, 1), ops.concat(codes, 1)


class SSDLite(nn.Cell):
    """SSDLite: images (N, 3, S, S) to logits (N, anchors, classes + 1) and codes (N, anchors, 4).

    Parameters of the backbone keep their names, so that weights of a classifier load. For the arguments of the
    description see `Detector`.

    Args:
        backbone: the network that computes the first two maps; its Cells become those of the detector.
        detector: the description; its backbone is the architecture of `backbone`.
        norm: momentum of BatchNorm, and whether ranks share its statistics.
    """

    def __init__(self, backbone: Network, detector: Detector, norm: Norm = Norm()) -> None:
        super().__init__(auto_prefix=False)
        self.detector, self.architecture = detector, detector.backbone
        self.maps = LastMaps(backbone, detector.tapped, detector.last_map)
        self.head = SSDLiteHead(detector, norm)

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor]:
        first, last = self.maps(x)
        return self.head(first, last)


class Decoder(nn.Cell):
    """Boxes (N, anchors, 4) and scores (N, anchors, classes + 1) of the logits and codes that `SSDLite` computes.

    Boxes are x1, y1, x2, y2 in pixels of the input and lie within it; scores are probabilities, of the background
    first. All is computed in float32, because float16 has steps of a quarter pixel above 256.
    """

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        boxes = anchor_boxes(detector)
        size = boxes[:, 2:] - boxes[:, :2]
        center_weights, size_weights = (np.array(CODE_WEIGHTS[part], np.float32) for part in (slice(2), slice(2, 4)))
        # Numbers are Tensors: with Python's, MindSpore makes operators of `*` that are not in Ascend's list.
        self.centers, self.halves = Tensor(boxes[:, :2] + size / 2), Tensor(size / 2)
        self.center_scale, self.size_scale = Tensor(size / center_weights), Tensor(1 / size_weights)
        self.largest, self.zero = Tensor(LARGEST_LOG, ms.float32), Tensor(0, ms.float32)
        self.side = Tensor(detector.size, ms.float32)
        self.split, self.softmax = ops.Split(2, 2), ops.Softmax(-1)
        self.join, self.minimum, self.maximum = ops.Concat(-1), ops.Minimum(), ops.Maximum()

    def construct(self, logits: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
        offsets, growths = self.split(codes.astype(ms.float32))
        centers = offsets * self.center_scale + self.centers
        halves = ops.exp(self.minimum(growths * self.size_scale, self.largest)) * self.halves
        boxes = self.join((centers - halves, centers + halves))
        boxes = self.minimum(self.maximum(boxes, self.zero), self.side)  # one ONNX node, which can be named
        return boxes, self.softmax(logits.astype(ms.float32))


class BoxesAndScores(nn.Cell):
    """The predictions of a detector: images (N, 3, S, S) to boxes and scores as `Decoder` gives them."""

    def __init__(self, network: SSDLite) -> None:
        super().__init__(auto_prefix=False)
        self.network, self.decode = network, Decoder(network.detector)

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.decode(*self.network(x))


def ssdlite(backbone: Network, num_classes: int, input_size: int = 320, norm: Norm = Norm(), **options: Any) -> SSDLite:
    """Return SSDLite on a network of this project.

    Args:
        backbone: the network, with or without weights; its Cells become those of the detector.
        num_classes: classes of objects, without the background.
        input_size: side of the input, in pixels.
        norm: BatchNorm of the new layers.
        options: last_map, extra, scales and ratios, as in `Detector`.

    Raises:
        UserError: as for `Detector`.
    """
    architecture = replace(backbone.architecture, resolution=input_size)
    return SSDLite(backbone, Detector(architecture, num_classes, **options), norm)


def _initialize(head: nn.Cell) -> None:
    """Draw all convolutions from N(0, 0.03), with MindSpore's global seed; biases are 0 (torchvision)."""
    rng = np.random.default_rng(ms.get_seed())
    for _, cell in head.cells_and_names():
        if isinstance(cell, nn.Conv2d):
            cell.weight.set_data(Tensor(rng.normal(0, HEAD_DEVIATION, cell.weight.shape).astype(np.float32)))
            if cell.has_bias:
                cell.bias.set_data(Tensor(np.zeros(cell.bias.shape, np.float32)))

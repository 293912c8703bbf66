"""SSDLite as plain data: a backbone, the feature maps that it is attached to, its anchors, its layers and their cost.

SSDLite (MobileNetV2, https://arxiv.org/abs/1801.04381, section 6.2) predicts boxes on six maps: the expansion of the
block that makes the last stride, the last map of the backbone, and the maps of four extra blocks, each of half the
size. Widths, heads and anchors are those of torchvision's ssdlite320_mobilenet_v3_large.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from src.design.architecture import Architecture, Block
from src.design.cost import Cost, Row, cost_of, cost_table, total
from src.design.layer_table import Layer, layers
from src.design.validation import describe
from src.errors import UserError

LastMap = Literal["head", "block"]

EXTRA_WIDTHS = (512, 256, 256, 128)


class Level(NamedTuple):
    """A map that boxes are predicted on: its channels, and its width and height in pixels."""

    channels: int
    size: int


@dataclass(frozen=True)
class Detector:
    """SSDLite on a backbone, whose resolution is the side of the input in pixels.

    Args:
        backbone: the network that computes the first two maps.
        num_classes: classes of objects, at least 1; the background is one more.
        last_map: the second map: `head` after the last 1x1 convolution, `block` before it.
        extra: channels of the extra maps.
        scales: sides of the smallest and of the largest square anchors, as a share of the image; the levels between
            have equal steps.
        ratios: width / height of the other anchors; each is also turned on its side.

    Raises:
        UserError: a number is out of range, or no block of the backbone strides.
    """

    backbone: Architecture
    num_classes: int
    last_map: LastMap = "head"
    extra: tuple[int, ...] = EXTRA_WIDTHS
    scales: tuple[float, float] = (0.2, 0.95)
    ratios: tuple[float, ...] = (2.0, 3.0)

    def __post_init__(self) -> None:
        if self.num_classes < 1:
            raise UserError(f"num_classes is {self.num_classes}; a detector needs at least 1")
        if not 0 < self.scales[0] <= self.scales[1] <= 1:
            raise UserError(
                f"anchor_scales is {self.scales}; expected two shares above 0 and up to 1, the smaller first"
            )
        if not self.ratios or min(self.ratios) <= 0:
            raise UserError(f"aspect_ratios is {self.ratios}; expected numbers above 0")
        if any(width < 2 or width % 2 for width in self.extra):
            raise UserError(f"extra is {self.extra}; expected even numbers of channels")
        if not any(block.stride > 1 for block in self.blocks):
            raise UserError(f"{self.backbone.name} has no block that strides, which SSDLite is attached to")

    @property
    def size(self) -> int:
        """Side of the input, in pixels."""
        return self.backbone.resolution

    @property
    def blocks(self) -> tuple[Block, ...]:
        """All blocks of the backbone."""
        return tuple(block for blocks in self.backbone.blocks() for block in blocks)

    @property
    def tapped(self) -> int:
        """Number of the last block that strides, in the whole backbone; its expansion is the first map."""
        return max(index for index, block in enumerate(self.blocks) if block.stride > 1)

    @property
    def outputs(self) -> int:
        """Scores of an anchor: the background and the classes."""
        return self.num_classes + 1

    @property
    def anchors_per_cell(self) -> int:
        """Anchors at each pixel of a map: two squares, and two boxes for each ratio."""
        return 2 + 2 * len(self.ratios)

    def levels(self) -> tuple[Level, ...]:
        """Return the maps that boxes are predicted on, from large to small."""
        size = ceil(self.size / 2)
        for block in self.blocks[: self.tapped]:
            size = ceil(size / block.stride)
        tapped = self.blocks[self.tapped]
        first = Level(tapped.in_channels if tapped.kind == "ds" else tapped.hidden, size)
        backbone = self.backbone
        channels = backbone.stages[-1].channels if self.last_map == "block" else backbone.head_conv or backbone.head
        found = [first, Level(channels, ceil(size / tapped.stride))]
        for width in self.extra:
            found.append(Level(width, ceil(found[-1].size / 2)))
        return tuple(found)

    @property
    def anchors(self) -> int:
        """Anchors of an image."""
        return sum(level.size**2 for level in self.levels()) * self.anchors_per_cell


class DetectorMeta(BaseModel):
    """A detector in the `meta` of a checkpoint, under the key `detector`; its backbone is the `architecture` there."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["ssdlite"]
    num_classes: Annotated[int, Field(ge=1, le=1_000_000)]
    last_map: LastMap
    extra: tuple[Annotated[int, Field(ge=2, le=65_536)], ...]
    scales: tuple[float, float]
    ratios: tuple[float, ...]


def detector_to_dict(detector: Detector) -> dict[str, Any]:
    """Return a detector without its backbone as plain values."""
    return {
        "kind": "ssdlite",
        "num_classes": detector.num_classes,
        "last_map": detector.last_map,
        "extra": list(detector.extra),
        "scales": list(detector.scales),
        "ratios": list(detector.ratios),
    }


def detector_from_meta(meta: dict[str, Any], backbone: Architecture) -> Detector | None:
    """Return the detector that the `meta` of a checkpoint describes, on a backbone of the input's resolution.

    Return None if it describes a classifier.

    Raises:
        UserError: a value has another type, or is out of range.
    """
    if "detector" not in meta:
        return None
    try:
        found = DetectorMeta.model_validate(meta["detector"]).model_dump(exclude={"kind"})
    except ValidationError as failure:
        raise UserError(f"the checkpoint's detector: {describe(failure.errors()[0], 'the detector')}") from None
    return Detector(backbone, **found)


def detector_layers(detector: Detector) -> Iterator[Layer]:
    """Yield every convolution in the order of computation, by the names of the Cells."""
    body = list(layers(detector.backbone))
    yield from body[: len(body) - _unused(detector)]
    levels = detector.levels()
    for index in range(len(detector.extra)):
        yield from extra_layers(index, levels[index + 1], levels[index + 2])
    for index, level in enumerate(levels):
        yield from head_layers(detector, index, level)


def extra_layers(index: int, before: Level, after: Level) -> tuple[Layer, ...]:
    """Return the layers of an extra block: 1x1 to half the channels, 3x3 depthwise of stride 2, 1x1."""
    prefix, half = f"extra.{index}.", after.channels // 2
    return (
        Layer(f"{prefix}conv_pw", f"{prefix}bn1", before.channels, half, 1, before.size),
        Layer(f"{prefix}conv_dw", f"{prefix}bn2", half, half, 3, after.size, groups=half),
        Layer(f"{prefix}conv_pwl", f"{prefix}bn3", half, after.channels, 1, after.size),
    )


def head_layers(detector: Detector, index: int, level: Level) -> tuple[Layer, ...]:
    """Return the layers that predict the scores and the boxes of a level: 3x3 depthwise, 1x1 with a bias, each."""
    channels, size = level
    found: list[Layer] = []
    for name, values in (("class_head", detector.outputs), ("box_head", 4)):
        prefix, outputs = f"{name}.{index}.", detector.anchors_per_cell * values
        found += (
            Layer(f"{prefix}conv_dw", f"{prefix}bn1", channels, channels, 3, size, groups=channels),
            Layer(f"{prefix}conv_pw", "", channels, outputs, 1, size, bias=True),
        )
    return tuple(found)


def detector_cost_table(detector: Detector) -> list[Row]:
    """Return a row for the stem, each stage and the head of the backbone, the extra blocks and the heads, in order."""
    rows = cost_table(detector.backbone)
    rows, levels = rows[: len(rows) - _unused(detector)], detector.levels()
    for index in range(len(detector.extra)):
        before, after = levels[index + 1], levels[index + 2]
        rows.append(Row(f"extra {index}", *after, cost_of(extra_layers(index, before, after))))
    for index, level in enumerate(levels):
        outputs = detector.anchors_per_cell * (detector.outputs + 4)
        rows.append(Row(f"heads {index}", outputs, level.size, cost_of(head_layers(detector, index, level))))
    return rows


def detector_cost(detector: Detector) -> Cost:
    """Return the cost of the whole detector for one image."""
    return total(row.cost for row in detector_cost_table(detector))


def _unused(detector: Detector) -> int:
    """Return how many layers at the end of the backbone the detector does not have."""
    return 1 + detector.backbone.is_ghostnet + (detector.last_map == "block")

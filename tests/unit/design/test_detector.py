"""SSDLite as data: its maps, and parameters and MACs, which must be those of torchvision's network too."""

import pytest

from src.design.architecture import Architecture, Stage, Style
from src.design.cost import cost_of
from src.design.detector import Detector, Level, detector_cost, detector_cost_table, detector_layers
from src.design.families import ARCHITECTURES
from src.errors import UserError

# torchvision's mobilenet_v3_large with `reduced_tail`, which halves the channels after the last stride.
MOBILENET_V3_LARGE = Architecture(
    name="mobilenet_v3_large",
    family="efficientnet",
    resolution=320,
    stem=16,
    stages=(
        Stage("ds", 3, 1, 1, 16, 1, se=0),
        Stage("ir", 3, 2, (4, 3), 24, 2, se=0),
        Stage("ir", 5, 2, 3, 40, 3),
        Stage("ir", 3, 2, (6, 2.5, 2.3), 80, 4, se=0),
        Stage("ir", 3, 1, 6, 112, 2),
        Stage("ir", 5, 2, 6, 80, 3),
    ),
    head=480,
    style=Style(se_of="hidden", se_divisor=8, hidden_divisor=8),
)


def test_the_counter_gives_the_published_numbers_of_torchvision():
    cost = detector_cost(Detector(MOBILENET_V3_LARGE, num_classes=90))  # 91 with the background
    assert cost.parameters == 3_440_060
    assert cost.macs == 583_171_904  # published: 0.583 G


COSTS = {  # at 320 px with the 80 classes of COCO: M MACs and parameters, with the last 1x1 convolution and without it
    "tinynet_a": ((1187.4, 7_218_320), (1071.2, 6_049_680)),
    "tinynet_b": ((786.8, 4_684_302), (674.6, 3_555_022)),
    "tinynet_c": ((478.1, 3_334_366), (369.1, 2_236_574)),
    "tinynet_d": ((404.1, 3_215_578), (295.0, 2_117_786)),
    "tinynet_e": ((363.4, 2_894_568), (255.2, 1_804_648)),
    "efficientnet_b_minus_3": ((467.6, 3_319_662), (356.5, 2_202_190)),
    "efficientnet_b0": ((1040.8, 6_318_896), (924.5, 5_150_256)),
    "ghostnet_100": ((512.9, 4_730_616), (434.9, 3_944_696)),
}


@pytest.mark.parametrize("name", COSTS)
def test_costs_at_320_pixels(name):
    found = []
    for last_map in ("head", "block"):
        cost = detector_cost(Detector(ARCHITECTURES[name].at(320), 80, last_map))
        found.append((round(cost.macs / 1e6, 1), cost.parameters))
    assert tuple(found) == COSTS[name]


def test_costs_with_other_classes_and_sizes():
    small, large = (Detector(ARCHITECTURES["tinynet_d"].at(size), classes) for size, classes in ((224, 80), (320, 90)))
    assert round(detector_cost(small).macs / 1e6, 1) == 199.6
    assert (round(detector_cost(large).macs / 1e6, 1), detector_cost(large).parameters) == (421.9, 3_384_898)
    digits = Detector(ARCHITECTURES["tinynet_e"].at(192), 10, "block")
    assert (round(detector_cost(digits).macs / 1e6, 1), detector_cost(digits).parameters) == (66.8, 1_109_968)


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("last_map", ["head", "block"])
def test_the_table_has_the_cost_of_all_layers(name, last_map):
    detector = Detector(ARCHITECTURES[name].at(97), 3, last_map)
    assert cost_of(detector_layers(detector)) == detector_cost(detector)
    assert detector_cost_table(detector)[-1].size == detector.levels()[-1].size


def test_maps_halve_and_round_up():
    levels = Detector(ARCHITECTURES["tinynet_d"].at(320), 80).levels()
    assert levels == (Level(384, 20), Level(1280, 10), Level(512, 5), Level(256, 3), Level(256, 2), Level(128, 1))
    assert [level.size for level in Detector(ARCHITECTURES["tinynet_e"].at(96), 80).levels()] == [6, 3, 2, 1, 1, 1]


CHANNELS = {"tinynet_a": (672, 1280), "tinynet_b": (528, 1280), "efficientnet_b_minus_3": (480, 1280)}


@pytest.mark.parametrize("name, channels", (CHANNELS | {"ghostnet_100": (672, 960)}).items())
def test_the_first_maps_are_those_of_the_backbone(name, channels):
    levels = Detector(ARCHITECTURES[name].at(320), 80).levels()
    assert tuple(level.channels for level in levels[:2]) == channels


@pytest.mark.parametrize(
    "options, words",
    [
        ({"num_classes": 0}, "num_classes is 0"),
        ({"scales": (0.5, 0.2)}, "anchor_scales is .0.5, 0.2."),
        ({"ratios": (2, -1)}, "aspect_ratios is .2, -1."),
        ({"extra": (31,)}, "extra is .31,."),
    ],
)
def test_numbers_out_of_range_are_refused(options, words):
    with pytest.raises(UserError, match=words):
        Detector(**{"backbone": ARCHITECTURES["tinynet_e"], "num_classes": 3} | options)


def test_a_backbone_whose_blocks_do_not_stride_is_refused():
    flat = Architecture("flat", "tinynet", 32, 8, (Stage("ds", 3, 1, 1, 8, 1),), 16)
    with pytest.raises(UserError, match="flat has no block that strides"):
        Detector(flat, 3)

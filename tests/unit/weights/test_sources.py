"""The rules of names against the names of the networks themselves, and what each source brings or cannot take."""

import re
from pathlib import Path

import numpy as np
import pytest
from support.foreign import NAMES, foreign

from src.design.architecture import UNSEEN
from src.design.families import ARCHITECTURES, TENSORFLOW_STYLE, label
from src.errors import UserError
from src.weights.records import sort_records
from src.weights.sources import PROJECT, SOURCES, TIMM, recognize, source_for

TITLES = {
    "mindcv_efficientnet_b0": "MindCV",
    "mindcv_ghostnet_100": "MindCV",
    "tf_efficientnet_b0": "timm",
    "tf_efficientnet_b5": "timm",
    "zoo_ghostnet_1x": "MindSpore's model zoo (ghostnet)",
    "zoo_official_efficientnet_b0": "MindSpore's model zoo (EfficientNet, folder b0)",
    "zoo_official_efficientnet_b1": "MindSpore's model zoo (EfficientNet b1 to b3)",
    "zoo_s_ghostnet_b1": "MindSpore's model zoo (S-GhostNet)",
    "zoo_tinynet_c": "MindSpore's model zoo (tinynet)",
}
PAIRS = [(source, name) for source in SOURCES if source.style and not source.refusal for name in source.networks]


@pytest.mark.parametrize("name", NAMES)
def test_a_source_is_recognized_whatever_the_order_of_the_file(name):
    shapes = foreign(name).shapes
    assert recognize(shapes).title == TITLES[name]
    assert recognize(dict(reversed(shapes.items()))).title == TITLES[name]


@pytest.mark.parametrize("name", NAMES)
def test_a_network_of_every_source_is_found_under_any_attributes(name):
    shapes = foreign(name).shapes
    stored = {f"my_student.inner.{key}": np.broadcast_to(np.float32(0), shape) for key, shape in shapes.items()}
    records = sort_records(stored | {"lr": np.zeros(900, np.float32)}, Path("w.ckpt"))
    assert {key: value.shape for key, value in records.raw.items()} == shapes
    assert records.others == ["lr"]


@pytest.mark.parametrize("name", [name for name in NAMES if foreign(name).ours])
def test_names_and_shapes_are_those_of_the_network_itself(name):
    network = foreign(name)
    used = {key: shape for key, shape in network.shapes.items() if key not in network.unused}
    assert recognize(network.shapes).shapes(ARCHITECTURES[network.ours]) == used


@pytest.mark.parametrize("name", NAMES)
def test_exactly_the_tensors_that_a_network_never_reads_are_left_out(name):
    network = foreign(name)
    unread = recognize(network.shapes).unread
    assert [key for key in network.shapes if re.search(unread, key)] == network.unused


@pytest.mark.parametrize("source, name", PAIRS, ids=lambda value: value if isinstance(value, str) else value.title)
def test_every_network_is_recognized_by_the_names_that_export_gives_it(source, name):
    shapes = source.shapes(ARCHITECTURES[name])
    found = recognize(shapes)
    assert found is source
    (network,) = found.nearest(shapes)
    assert network.name == name
    assert [getattr(network.style, key) for key in UNSEEN] == [getattr(source.style, key) for key in UNSEEN]


@pytest.mark.parametrize(
    "collection, name, expected",
    [
        ("mindcv", "efficientnet_b4", "efficientnet_b4 (same padding, epsilon 1e-5)"),
        ("mindcv", "tf_efficientnet_b5", "tf_efficientnet_b5"),
        ("mindcv", "ghostnet_130", "ghostnet_130"),
        ("zoo", "tf_efficientnet_b2", "tf_efficientnet_b2"),
        ("zoo", "tinynet_e", "tinynet_e"),
        ("zoo", "ghostnet_600", "ghostnet_600"),
        ("zoo", "s_ghostnet_b4", "s_ghostnet_b4"),
    ],
)
def test_a_network_comes_with_padding_and_epsilon_of_its_source(collection, name, expected):
    (source,) = [source for source, known in PAIRS if known == name and source.collection == collection]
    (network,) = source.nearest(source.shapes(ARCHITECTURES[name]))
    assert label(network) == expected
    assert source_for(network.at(64), collection) is source


def test_timms_names_do_not_tell_the_padding():
    shapes = TIMM.shapes(ARCHITECTURES["efficientnet_b0"])
    assert recognize(shapes) is TIMM and TIMM.style is None
    assert [network.name for network in TIMM.nearest(shapes)] == ["efficientnet_b0", "tf_efficientnet_b0"]


def test_a_network_of_nobody_has_the_names_of_this_project():
    assert recognize({"layer1.0.conv1.weight": (64, 64, 3, 3)}) is PROJECT


@pytest.mark.parametrize(
    "collection, name, words",
    [
        ("mindcv", "tinynet_c", "MindCV has no network with the tensors of tinynet_c"),
        (
            "mindcv",
            "efficientnet_b0",
            r"MindCV would compute other logits .*: it has style padding same \(not symmetric\)",
        ),
        ("mindcv", "tf_efficientnet_b0", r"MindCV would .* it has style bn_epsilon 1e-05 \(not 0.001\)"),
        (
            "zoo",
            "efficientnet_b0",
            r"\(EfficientNet, folder b0\) would .* style stem_activation hard_swish \(not silu\)",
        ),
        ("zoo", "efficientnet_b2", r"\(EfficientNet b1 to b3\) would .* style padding same \(not symmetric\)"),
        ("zoo", "ghostnet_050", "MindSpore's model zoo has no network with the tensors of ghostnet_050"),
    ],
)
def test_names_without_a_counterpart_are_refused_in_one_line(collection, name, words):
    with pytest.raises(UserError, match=f"^names is {collection}: .*{words}.*choose timm$"):
        source_for(ARCHITECTURES[name], collection)


def test_the_style_of_tensorflow_is_googles():
    assert (TENSORFLOW_STYLE.padding, TENSORFLOW_STYLE.bn_epsilon) == ("same", 1e-3)

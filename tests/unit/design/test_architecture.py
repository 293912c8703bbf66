"""Architectures: their blocks, their rounding, and the networks that they refuse."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.random_architectures import architectures

from src.design.architecture import Architecture, Stage, Style, compact, of_block, round_channels
from src.design.families import EFFICIENTNET_B0
from src.design.ghostnets import GHOSTNET_100
from src.errors import UserError

stages = st.builds(
    Stage,
    block=st.sampled_from(["ds", "ir"]),
    kernel=st.sampled_from([3, 5, 7]),
    stride=st.sampled_from([1, 2]),
    expand=st.sampled_from([1, 3, 6]),
    channels=st.integers(1, 64),
    repeats=st.integers(1, 5),
    se=st.sampled_from([0, 0.25]),
)


@given(stages, st.integers(1, 64))
def test_blocks_chain_and_only_the_first_one_strides(stage, width):
    blocks = stage.blocks(width)
    assert len(blocks) == stage.repeats
    assert [b.in_channels for b in blocks] == [width] + [stage.channels] * (stage.repeats - 1)
    assert [b.stride for b in blocks] == [stage.stride] + [1] * (stage.repeats - 1)
    assert all(b.residual for b in blocks[1:])
    assert all((b.se_channels > 0) == (stage.se > 0) for b in blocks)


@given(architectures)
def test_every_block_follows_from_its_stage_and_the_style(network):
    width, style = network.stem, network.style
    for stage, blocks in zip(network.stages, network.blocks(), strict=True):
        for index, block in enumerate(blocks):
            assert (block.in_channels, block.out_channels) == (width, stage.channels)
            assert block.hidden % style.hidden_divisor == 0 or block.kind == "ds"
            assert block.hidden >= 0.9 * width * of_block(stage.expand, index) or style.hidden_divisor == 1
            assert bool(block.se_channels) == bool(of_block(stage.se, index))
            assert block.se_channels % style.se_divisor == 0
            width = stage.channels


@given(architectures)
def test_equal_numbers_are_equal_networks(network):
    twin = replace(network, stages=tuple(replace(stage) for stage in network.stages), style=replace(network.style))
    assert twin == network and hash(twin) == hash(network) and twin.blocks() == network.blocks()


def test_a_depthwise_separable_block_keeps_its_width_whatever_the_divisor():
    (block,) = Stage("ds", 3, 1, 1, 16, 1).blocks(30, Style(hidden_divisor=8))
    assert block.hidden == 30


def test_squeeze_excite_is_a_quarter_of_the_blocks_input():
    first, second = EFFICIENTNET_B0.stages[2].blocks(24)
    assert (first.hidden, first.se_channels) == (144, 6)
    assert (second.hidden, second.se_channels) == (240, 10)


def test_ghostnets_squeeze_excite_is_a_quarter_of_the_hidden_width_in_fours():
    first, second = GHOSTNET_100.stages[2].blocks(24, GHOSTNET_100.style)
    assert (first.hidden, first.se_channels) == (72, 20)
    assert (second.hidden, second.se_channels) == (120, 32)


def test_blocks_of_a_stage_may_differ_and_the_last_number_counts_for_all_later_blocks():
    stage = Stage("ghost", 3, 2, expand=(6, 2.5, 2), channels=20, repeats=5, se=(0, 0.25))
    blocks = stage.blocks(8, GHOSTNET_100.style)
    assert [block.hidden for block in blocks] == [48, 52, 40, 40, 40]
    assert [block.se_channels for block in blocks] == [0, 12, 12, 12, 12]  # 13, 10 and 10, in fours


@given(st.lists(st.sampled_from([0, 0.25, 6]), min_size=1).map(tuple), st.integers(0, 30))
def test_the_compact_form_gives_every_block_the_same_number(numbers, index):
    assert of_block(compact(numbers), index) == of_block(numbers, index)


@given(st.floats(0.1, 4000), st.sampled_from([4, 8]))
def test_rounding_gives_multiples_and_keeps_nine_tenths(channels, divisor):
    rounded = round_channels(channels, divisor)
    assert rounded % divisor == 0
    assert rounded >= max(divisor, 0.9 * channels)
    assert rounded <= max(divisor, channels + divisor)


@pytest.mark.parametrize("changes", [{"resolution": 0}, {"stem": -8}, {"head": 0}, {"head_conv": -1}])
def test_sizes_below_one_are_refused_by_name(changes):
    with pytest.raises(UserError, match=next(iter(changes))):
        replace(EFFICIENTNET_B0, **changes)


@pytest.mark.parametrize(
    "changes, text",
    [
        ({"kernel": 4}, r"stages\[0\].kernel is 4; it must be odd"),
        ({"stride": 0}, r"stages\[0\].stride is 0; it must be at least 1"),
        ({"channels": 0}, r"stages\[0\].channels is 0"),
        ({"repeats": 0}, r"stages\[0\].repeats is 0"),
        ({"expand": 0}, r"stages\[0\].expand is 0; it must be above 0"),
        ({"expand": (6, float("nan"))}, r"stages\[0\].expand is \(6, nan\)"),
        ({"expand": float("inf")}, r"stages\[0\].expand is inf"),
        ({"expand": ()}, r"stages\[0\].expand is \(\)"),
        ({"se": (0.25, 1.5)}, r"stages\[0\].se is \(0.25, 1.5\); it must be between 0 and 1"),
        ({"block": "resnet"}, r"stages\[0\].block is 'resnet'; expected one of ds, ir, ghost"),
        ({"block": "ds"}, r"stages\[0\].expand is 6; a ds block does not expand"),
        ({"block": "ghost"}, r"style.hidden_divisor \(1\) must be even"),
        ({"block": "ghost", "skip": False}, r"stages\[0\].skip is False; ghost bottlenecks always skip"),
    ],
)
def test_a_stage_that_cannot_be_built_is_refused_by_name(changes, text):
    stage = Stage("ir", 3, 1, 6, 16, 1)
    with pytest.raises(UserError, match=text):
        replace(EFFICIENTNET_B0, stages=(replace(stage, **changes),))


@pytest.mark.parametrize(
    "network, changes, text",
    [
        (
            EFFICIENTNET_B0,
            {"family": "resnet"},
            "family is 'resnet'; expected one of efficientnet, tinynet, ",
        ),
        (EFFICIENTNET_B0, {"head_conv": 960}, "head_conv is 960; family efficientnet has none: set it to 0"),
        (GHOSTNET_100, {"head_conv": 0}, "head_conv is 0; it must be at least 1"),
        (GHOSTNET_100, {"family": "tinynet"}, "head_conv is 960; family tinynet has none"),
    ],
)
def test_the_family_must_be_known_and_have_the_head_of_its_cells(network, changes, text):
    with pytest.raises(UserError, match=text):
        replace(network, **changes)


def test_a_network_needs_stages_and_sound_divisors():
    with pytest.raises(UserError, match="stages is empty"):
        Architecture("none", "tinynet", 32, 8, (), 8)
    with pytest.raises(UserError, match="style.se_divisor is 0"):
        replace(EFFICIENTNET_B0, style=Style(se_divisor=0))

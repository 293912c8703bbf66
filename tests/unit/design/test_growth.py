"""Networks that are a little larger than another one: their cost, and that they contain it."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.design.architecture import Stage
from src.design.cost import total_cost
from src.design.families import ARCHITECTURES, EFFICIENTNET_B0
from src.design.growth import Budget, growths

BASES = ["efficientnet_b0", "tinynet_e", "ghostnet_100", "s_ghostnet_b1", "ghostnet_600"]


def grown(base, factor, tolerance=0.05, blocks=8, classes=10):
    """Return the growths of a base by their place, and the exhausted places."""
    budget = Budget(factor * total_cost(base, classes).macs, tolerance, blocks, classes)
    found, exhausted = growths(base, budget)
    return {growth.place: growth for growth in found}, exhausted


def contains(large, small):
    """Return whether every block of a network is in a larger one, at least as wide."""
    same = ("block", "kernel", "stride", "expand", "se", "skip")
    return large.resolution >= small.resolution and all(
        all(getattr(wide, key) == getattr(narrow, key) for key in same)
        and wide.channels >= narrow.channels
        and wide.repeats >= narrow.repeats
        for wide, narrow in zip(large.stages, small.stages, strict=True)
    )


@settings(max_examples=8)
@given(st.sampled_from(BASES), st.integers(40, 240), st.floats(1.02, 2), st.floats(0.005, 0.1), st.integers(1, 9))
def test_every_growth_meets_the_budget_contains_the_base_and_differs_from_the_others(
    name, pixels, factor, tolerance, blocks
):
    base = ARCHITECTURES[name].at(pixels)
    macs = total_cost(base, 10).macs
    found, exhausted = grown(base, factor, tolerance, blocks)
    for growth in found.values():
        assert abs(total_cost(growth.network, 10).macs / (factor * macs) - 1) <= tolerance
        assert contains(growth.network, base) and growth.network != base and growth.blocks <= blocks
    assert len({growth.network for growth in found.values()}) == len(found)
    assert len(found) + len(exhausted) <= 2 * len(base.stages) + 1


def test_only_the_named_stage_grows_and_by_what_is_said():
    found, _ = grown(EFFICIENTNET_B0, 1.2)
    growth = found["depth of stage 3"]
    stage = EFFICIENTNET_B0.stages[3]
    larger = replace(stage, repeats=stage.repeats + growth.blocks, channels=stage.channels + growth.channels)
    assert growth.network == replace(
        EFFICIENTNET_B0, stages=(*EFFICIENTNET_B0.stages[:3], larger, *EFFICIENTNET_B0.stages[4:])
    )
    assert growth.change == "+5 blocks"  # of 4.1 % each


def test_channels_fill_what_blocks_leave():
    found, _ = grown(EFFICIENTNET_B0.at(56), 1.26)
    assert found["depth of stage 6"].change == "+1 block +56 channels"
    assert found["depth of stage 0"].blocks == 8  # the largest number; alone it would take 25


def test_blocks_fill_what_channels_leave():
    found, _ = grown(EFFICIENTNET_B0, 1.26)
    assert found["width of stage 0"].change == "+2 blocks +16 channels"


def test_what_costs_more_than_the_step_is_named():
    _, exhausted = grown(EFFICIENTNET_B0, 1.05, classes=1000)
    assert exhausted == ["depth of stage 6", "resolution"]  # a block is 15.9 %, one pixel more 16.5 % of the MACs


@pytest.mark.parametrize(
    "base, factor, pixels",
    [(224, 1.2, 240), (224, 1.26, 256), (48, 1.26, 56), (224, 1.5, 272), (225, 1.05, 240)],
)
def test_the_resolution_is_the_end_of_a_stair(base, factor, pixels):
    found, _ = grown(EFFICIENTNET_B0.at(base), factor)
    assert found["resolution"].network == EFFICIENTNET_B0.at(pixels)


def test_ghostnets_keep_even_widths_and_the_form_of_their_blocks():
    base = ARCHITECTURES["ghostnet_100"]
    found, exhausted = grown(base, 1.26)
    assert exhausted == [] and len(found) == 2 * len(base.stages) + 1
    assert all(stage.channels % 4 == 0 for growth in found.values() for stage in growth.network.stages)
    assert found["depth of stage 3"].network.stages[3].expand == base.stages[3].expand


def test_stem_and_head_of_an_s_ghostnet_follow_its_stages():
    base = ARCHITECTURES["s_ghostnet_b1"]
    found, _ = grown(base, 1.26)
    first, last = found["width of stage 0"].network, found["width of stage 5"].network
    assert first.stem == first.stages[0].channels > base.stem
    assert (last.head_conv, last.head) == (6 * last.stages[5].channels, 5 * last.stages[5].channels)


def test_a_network_that_cannot_grow_has_all_its_places_exhausted():
    base = replace(EFFICIENTNET_B0.at(32), stages=(Stage("ir", 3, 2, 6, 320, 1),))
    found, exhausted = grown(base, 1.01, tolerance=0.001)
    assert not found and exhausted == ["depth of stage 0", "width of stage 0", "resolution"]

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.design.families import EFFICIENTNET_B0, TINYNETS
from src.design.scaling import round_channels, tiny_scale
from src.errors import UserError

# The stage tables of the released networks (channels, repeats, resolution).
PUBLISHED = {
    "tinynet_a": ((16, 24, 40, 80, 112, 192, 320), (1, 2, 2, 4, 4, 5, 1), 192),
    "tinynet_b": ((16, 24, 32, 64, 88, 144, 240), (1, 2, 2, 3, 3, 4, 1), 188),
    "tinynet_c": ((8, 16, 24, 40, 64, 104, 176), (1, 2, 2, 3, 3, 3, 1), 184),
    "tinynet_d": ((8, 16, 24, 40, 64, 104, 176), (1, 1, 1, 2, 2, 3, 1), 152),
    "tinynet_e": ((8, 16, 24, 40, 56, 96, 160), (1, 1, 1, 2, 2, 2, 1), 106),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_coefficients_give_the_published_stages(name):
    network = TINYNETS[name]
    channels, repeats = zip(*((s.channels, s.repeats) for s in network.stages))
    assert (channels, repeats, network.resolution) == PUBLISHED[name]
    assert (network.stem, network.head) == (32, 1280)


def test_factors_of_one_change_nothing_but_the_name():
    assert tiny_scale(EFFICIENTNET_B0, 1, 1, 1, name="efficientnet_b0") == EFFICIENTNET_B0


@given(st.floats(0.1, 4000), st.sampled_from([4, 8]))
def test_rounding_gives_multiples_and_keeps_nine_tenths(channels, divisor):
    rounded = round_channels(channels, divisor)
    assert rounded % divisor == 0
    assert rounded >= max(divisor, 0.9 * channels)
    assert rounded <= max(divisor, channels + divisor)


@given(st.floats(0.2, 2), st.floats(0.1, 2), st.floats(0.1, 3))
def test_no_stage_ever_vanishes(resolution, width, depth):
    scaled = tiny_scale(EFFICIENTNET_B0, resolution, width, depth)
    assert all(stage.repeats >= 1 and stage.channels >= 8 for stage in scaled.stages)
    assert scaled.head >= EFFICIENTNET_B0.head


@pytest.mark.parametrize("factors", [(0, 1, 1), (1, -1, 1), (1, 1, float("nan"))])
def test_factors_must_be_positive(factors):
    with pytest.raises(UserError, match="factor above 0"):
        tiny_scale(EFFICIENTNET_B0, *factors)

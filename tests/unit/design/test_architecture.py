from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.design.architecture import Stage
from src.design.families import EFFICIENTNET_B0
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


def test_squeeze_excite_is_a_quarter_of_the_blocks_input():
    first, second = EFFICIENTNET_B0.stages[2].blocks(24)
    assert (first.hidden, first.se_channels) == (144, 6)
    assert (second.hidden, second.se_channels) == (240, 10)


@pytest.mark.parametrize("changes", [{"resolution": 0}, {"stem": -8}, {"head": 0}])
def test_sizes_below_one_are_refused_by_name(changes):
    with pytest.raises(UserError, match=next(iter(changes))):
        replace(EFFICIENTNET_B0, **changes)


def test_even_kernel_is_refused():
    with pytest.raises(UserError, match=r"stages\[0\].kernel is 4"):
        replace(EFFICIENTNET_B0, stages=(Stage("ir", 4, 1, 6, 16, 1),))

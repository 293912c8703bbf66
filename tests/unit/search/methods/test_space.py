"""The search space around a base: its networks, and which vectors give the same one."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from src.design.families import ARCHITECTURES, EFFICIENTNET_B0
from src.search.methods.space import Choices, Space

SPACE = Space(EFFICIENTNET_B0)
vectors = st.tuples(*(st.integers(0, size - 1) for size in SPACE.sizes))


def with_choice(field, value, stage=3, space=SPACE):
    """Return the network of the base's vector with another option in one stage."""
    place = Choices._fields.index(field)
    vector = list(space.start)
    vector[6 * stage + place] = space.choices[stage][place].index(value)
    return space.network(vector, space.base.name)


def test_the_base_is_in_the_space():
    assert SPACE.network(SPACE.start, "efficientnet_b0") == EFFICIENTNET_B0


def test_each_choice_changes_what_it_names():
    stage = EFFICIENTNET_B0.stages[3]
    assert with_choice("operations", ("ds", 1)).stages[3] == replace(stage, block="ds", expand=1)
    assert with_choice("operations", ("ir", 4)).stages[3] == replace(stage, expand=4)
    assert with_choice("kernels", 5).stages[3] == replace(stage, kernel=5)
    assert with_choice("widths", 0.75).stages[3] == replace(stage, channels=64)  # 60 rounded to a multiple of 8
    assert with_choice("repeats", 1).stages[3] == replace(stage, repeats=4)
    assert with_choice("shares", 0).stages[3] == replace(stage, se=0)
    assert with_choice("skips", False).stages[3] == replace(stage, skip=False)


def test_what_has_no_effect_gives_an_equal_network():
    assert with_choice("skips", False, stage=6) == EFFICIENTNET_B0  # one block of 192 to 320 channels adds nothing
    assert with_choice("repeats", -1, stage=6) == EFFICIENTNET_B0  # one block stays


@settings(max_examples=20)
@given(vectors)
def test_every_vector_is_a_network_with_the_bases_strides_and_ends(vector):
    network = SPACE.network(vector)
    assert [stage.stride for stage in network.stages] == [1, 2, 2, 2, 1, 2, 1]
    assert (network.stem, network.head, network.resolution) == (32, 1280, 224)
    for stage, base in zip(network.stages, EFFICIENTNET_B0.stages):
        assert abs(stage.repeats - base.repeats) <= 1 and 0.7 <= stage.channels / base.channels <= 1.5


def test_ghost_bottlenecks_stay_what_they_are():
    space = Space(ARCHITECTURES["ghostnet_100"])
    network = space.network([size - 1 for size in space.sizes])
    assert {stage.block for stage in network.stages} == {"ghost"} and all(stage.skip for stage in network.stages)
    assert [stage.se for stage in network.stages] == [0.25] * 6

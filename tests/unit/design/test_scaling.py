"""Scaling rules: rounding, families, monotone costs and the solved phi."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.design.cost import total_cost
from src.design.differences import differences
from src.design.families import ARCHITECTURES, EFFICIENTNET_B0
from src.design.ghostnets import GHOSTNET_100
from src.design.scaling import (
    EFFICIENTNET_COMPOUND,
    Compound,
    compound_for_macs,
    compound_grid,
    compound_scale,
    giant_scale,
    phi_for_macs,
    tiny_scale,
)
from src.errors import UserError

bases = st.sampled_from([EFFICIENTNET_B0, GHOSTNET_100])
rules = st.sampled_from([tiny_scale, giant_scale])
factors = st.floats(0.2, 3)


def test_factors_of_one_change_nothing_but_name_and_family():
    assert differences(tiny_scale(EFFICIENTNET_B0, 1, 1, 1), EFFICIENTNET_B0) == []
    assert giant_scale(EFFICIENTNET_B0, 1, 1, 1, name="efficientnet_b0") == EFFICIENTNET_B0
    assert compound_scale(EFFICIENTNET_B0, 0, name="efficientnet_b0") == EFFICIENTNET_B0


@given(rules, bases, factors, factors, factors)
def test_no_width_falls_below_nine_tenths(rule, base, resolution, width, depth):
    scaled = rule(base, resolution, width, depth)
    pairs = [(stage.channels, old.channels) for stage, old in zip(scaled.stages, base.stages, strict=True)]
    pairs += [(scaled.head, base.head), (scaled.head_conv, base.head_conv), (scaled.stem, base.stem)]
    if rule is tiny_scale:
        pairs.remove((scaled.stem, base.stem))
        assert scaled.stem == base.stem and scaled.head >= base.head
    for new, old in pairs:
        assert new >= 0.9 * old * width and new % base.style.divisor == 0


@given(rules, bases, factors, factors, factors)
def test_no_stage_ever_vanishes(rule, base, resolution, width, depth):
    scaled = rule(base, resolution, width, depth)
    assert all(stage.repeats >= 1 and stage.channels >= base.style.divisor for stage in scaled.stages)


@given(rules, bases, factors, factors, factors, st.sampled_from([0, 1, 2]), st.floats(1, 2))
def test_cost_never_falls_as_one_factor_rises(rule, base, resolution, width, depth, which, more):
    small = [resolution, width, depth]
    large = [*small[:which], small[which] * more, *small[which + 1 :]]
    before, after = total_cost(rule(base, *small)), total_cost(rule(base, *large))
    assert before.macs <= after.macs and before.parameters <= after.parameters


@given(rules, bases, factors, factors, factors)
def test_the_same_factors_give_the_same_network(rule, base, resolution, width, depth):
    assert rule(base, resolution, width, depth) == rule(base, resolution, width, depth)


def test_repeats_are_rounded_by_one_rule_and_up_by_the_other():
    tiny, giant = (rule(EFFICIENTNET_B0, 1, 1, 1.1) for rule in (tiny_scale, giant_scale))
    assert [stage.repeats for stage in tiny.stages] == [1, 2, 2, 3, 3, 4, 1]
    assert [stage.repeats for stage in giant.stages] == [2, 3, 3, 4, 4, 5, 2]


@pytest.mark.parametrize("rule", [tiny_scale, giant_scale])
@pytest.mark.parametrize("numbers", [(0, 1, 1), (1, -1, 1), (1, 1, float("nan")), (float("inf"), 1, 1)])
def test_factors_must_be_positive(rule, numbers):
    with pytest.raises(UserError, match="factor above 0"):
        rule(EFFICIENTNET_B0, *numbers)


def test_the_published_coefficients_about_double_the_macs():
    assert EFFICIENTNET_COMPOUND == (1.2, 1.1, 1.15)
    assert EFFICIENTNET_COMPOUND.growth == pytest.approx(1.92, abs=0.001)


# phi = -k with the rounding of either rule: pixels, M MACs and M parameters, counted by another program.
MINUS_K = {
    #   tiny rule           giant rule
    1: ((194, 247.4, 3.94), (194, 300.9, 4.55)),
    2: ((169, 137.2, 3.49), (169, 176.8, 3.46)),
    3: ((147, 87.1, 2.82),  (147, 106.8, 2.80)),
    4: ((128, 41.6, 2.39),  (128, 46.4, 2.06)),
}  # fmt: skip


@pytest.mark.parametrize("k", MINUS_K)
def test_minus_k_misses_the_budgets_by_either_rule(k):
    alpha, beta, gamma = (coefficient**-k for coefficient in EFFICIENTNET_COMPOUND)
    for rule, expected in zip((tiny_scale, giant_scale), MINUS_K[k], strict=True):
        network = rule(EFFICIENTNET_B0, gamma, beta, alpha)
        cost = total_cost(network)
        assert (network.resolution, round(cost.macs / 1e6, 1), round(cost.parameters / 1e6, 2)) == expected
    shrunk = tiny_scale(EFFICIENTNET_B0, gamma, beta, alpha)
    assert differences(compound_scale(EFFICIENTNET_B0, -k), shrunk) == []


@given(bases, st.floats(-6, 4), st.floats(0, 2))
def test_cost_never_falls_as_phi_rises(base, phi, more):
    before, after = (total_cost(compound_scale(base, value)) for value in (phi, phi + more))
    assert before.macs <= after.macs and before.parameters <= after.parameters


@given(bases, st.floats(0.1, 20))
def test_solved_phi_is_the_nearest_of_all(base, factor):
    target = total_cost(base).macs * factor
    phi = phi_for_macs(base, target)
    found, lower, higher = (total_cost(compound_scale(base, phi + d)).macs for d in (0, -0.01, 0.01))
    assert abs(found - target) <= min(abs(lower - target), abs(higher - target))
    assert found < higher


@given(bases, st.integers(-600, 400))
def test_solving_turns_scaling_round(base, hundredths):
    macs = total_cost(compound_scale(base, hundredths / 100)).macs
    assert total_cost(compound_scale(base, phi_for_macs(base, macs))).macs == macs


def test_phi_is_solved_on_the_cost_with_the_classes_of_the_data():
    base = EFFICIENTNET_B0.at(64)
    macs = total_cost(compound_scale(base, -3), 10).macs
    assert total_cost(compound_scale(base, phi_for_macs(base, macs, num_classes=10)), 10).macs == macs
    assert phi_for_macs(base, macs) < -3  # a classifier of 1,000 classes leaves less for the rest


@pytest.mark.parametrize("macs", [1, 1e18, float("nan")])
def test_budgets_out_of_reach_are_refused(macs):
    with pytest.raises(UserError, match="compound scaling of efficientnet_b0 reaches"):
        phi_for_macs(EFFICIENTNET_B0, macs)


@pytest.mark.parametrize("pixels", [48, 56, 64, 224])
@pytest.mark.parametrize("growth", [1.1, 1.5, 1.7, 2, 3])
def test_an_enlarged_network_meets_its_budget_where_one_pixel_costs_much(pixels, growth):
    base = EFFICIENTNET_B0.at(pixels)
    macs = growth * total_cost(base, 10).macs
    network = compound_for_macs(base, macs, num_classes=10)
    assert total_cost(network, 10).macs == pytest.approx(macs, rel=0.05)  # widths are multiples of 8
    assert network.family == "efficientnet" and network.resolution >= pixels


def test_an_enlarged_network_is_that_of_phi_where_it_meets_the_budget():
    phi = phi_for_macs(EFFICIENTNET_B0, 8e8)
    assert compound_for_macs(EFFICIENTNET_B0, 8e8) == compound_scale(EFFICIENTNET_B0, phi)


def test_depth_or_resolution_alone_keeps_the_widths():
    for coefficients in (Compound(2, 1, 1), Compound(1, 1, 2**0.5)):
        network = compound_for_macs(EFFICIENTNET_B0, 8e8, coefficients)
        assert [stage.channels for stage in network.stages] == [stage.channels for stage in EFFICIENTNET_B0.stages]
        assert total_cost(network).macs == pytest.approx(8e8, rel=0.1)


@pytest.mark.parametrize("pixels", [48, 64, 224])
@pytest.mark.parametrize("share", [0.06, 0.15, 0.3, 0.7])
def test_a_shrunk_network_meets_its_budget_where_one_pixel_costs_much(pixels, share):
    base = EFFICIENTNET_B0.at(pixels)
    macs = share * total_cost(base, 10).macs
    network = compound_for_macs(base, macs, num_classes=10)
    assert total_cost(network, 10).macs == pytest.approx(macs, rel=0.05)
    assert network.resolution <= pixels
    assert all(after.channels <= before.channels for after, before in zip(network.stages, base.stages))


@given(st.sampled_from([0.05, 0.1, 0.25]), st.floats(1, 3), st.floats(0.01, 0.3))
def test_the_grid_keeps_the_constraint(step, growth, tolerance):
    grid = compound_grid(step, growth, tolerance)
    assert all(min(candidate) >= 1 and abs(candidate.growth - growth) <= tolerance for candidate in grid)
    assert len(set(grid)) == len(grid)


def test_the_grid_misses_none_and_holds_the_published_coefficients():
    grid = compound_grid()
    assert EFFICIENTNET_COMPOUND in grid
    assert Compound(2, 1, 1) in grid and Compound(1, 1.4, 1) in grid and Compound(1, 1, 1.4) in grid
    with pytest.raises(UserError, match="step is 0"):
        compound_grid(step=0)


@pytest.mark.parametrize(
    "base, tiny, giant",
    [
        ("efficientnet_b0", "tinynet", "efficientnet"),
        ("tinynet_a", "tinynet", "efficientnet"),
        ("ghostnet_100", "ghostnet", "ghostnet"),
        ("s_ghostnet_b1", "s_ghostnet", "s_ghostnet"),
    ],
)
def test_the_rule_names_the_family_but_ghostnets_keep_theirs(base, tiny, giant):
    network = ARCHITECTURES[base]
    assert tiny_scale(network, 1, 0.5, 1).family == tiny
    assert giant_scale(network, 1, 2, 1).family == giant
    assert {compound_scale(network, phi).family for phi in (-1, 0, 1)} == {giant}


def test_every_formula_takes_every_family():
    for name in ("tinynet_e", "ghostnet_600", "s_ghostnet_b1_searched"):
        assert total_cost(compound_scale(ARCHITECTURES[name], 1)).macs > total_cost(ARCHITECTURES[name]).macs

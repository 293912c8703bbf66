"""Networks for a budget by the tiny formula."""

from math import sqrt

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from src.design.cost import total_cost
from src.design.differences import differences
from src.design.families import ARCHITECTURES, EFFICIENTNET_B0, TINYNET_COEFFICIENTS, TINYNETS
from src.design.formula import fit
from src.design.points import Point
from src.design.shrink import shrink
from src.errors import UserError

WHOLE = total_cost(EFFICIENTNET_B0).macs


def miss(shrunk):
    return abs(total_cost(shrunk.architecture).macs / shrunk.budget - 1)


@pytest.mark.parametrize("name", TINYNETS)
def test_the_published_networks_come_back_from_their_budgets(name):
    published = TINYNETS[name]
    shrunk = shrink(EFFICIENTNET_B0, total_cost(published).macs, name=name)
    assert differences(shrunk.architecture, published) == []
    assert shrunk.architecture == published
    r, w, d = TINYNET_COEFFICIENTS[name]
    assert (shrunk.r.value, shrunk.d.value) == pytest.approx((r, d), abs=0.001)
    assert shrunk.w.value == pytest.approx(w, abs=0.02)  # all of these give the same widths
    assert shrunk.depth == shrunk.d.value


# The budgets as the paper prints them lie up to 1.5 % beside what its networks cost.
@pytest.mark.parametrize(
    "mega_macs, name, found",
    [
        (339, "tinynet_a", ["head 1304 (not 1280)", "stage 6 channels 328 (not 320)"]),
        (202, "tinynet_b", ["stage 6 channels 248 (not 240)"]),
        (100, "tinynet_c", []),
        (52, "tinynet_d", []),
        (24, "tinynet_e", ["resolution 105 (not 106)", "stage 6 channels 152 (not 160)"]),
    ],
)
def test_the_printed_budgets_give_the_published_networks_but_for_little(mega_macs, name, found):
    assert differences(shrink(EFFICIENTNET_B0, mega_macs * 1e6).architecture, TINYNETS[name]) == found


@settings(max_examples=25)
@given(st.floats(0.03, 1))
def test_budgets_are_met(c):
    exact, moved = (shrink(EFFICIENTNET_B0, c * WHOLE, pixels=pixels) for pixels in (0, 4))
    assert exact.architecture.resolution == int(224 * exact.r.value) and miss(exact) <= 0.03
    assert abs(moved.architecture.resolution - exact.architecture.resolution) <= 4 and miss(moved) <= 0.01
    for shrunk in (exact, moved):
        assert abs(shrunk.depth - shrunk.d.value) < 0.081
        assert shrunk.law_width == pytest.approx(sqrt(c / (shrunk.r.value**2 * shrunk.d.value)))


@settings(max_examples=15)
@given(st.sampled_from(["ghostnet_100", "s_ghostnet_b1", "efficientnet_b2", "tinynet_a"]), st.floats(0.1, 1))
@example("efficientnet_b2", 0.40625)  # 4.9 % above: widths jump by 12 %, and 4 pixels are 3.7 %
def test_other_bases_meet_their_budgets_within_half_a_jump_of_the_widths(name, c):
    base = ARCHITECTURES[name]
    assert miss(shrink(base, c * total_cost(base).macs)) <= 0.06


def test_another_formula_is_followed():
    formula = fit([Point(c, 0.5, 0.5) for c in (0.1, 0.3, 0.9)])
    shrunk = shrink(EFFICIENTNET_B0, 0.3 * WHOLE, formula)
    assert (shrunk.r.value, shrunk.d.value) == pytest.approx((0.5, 0.5), rel=0.01)
    assert shrunk.w.value > 1.3


def test_the_classes_of_the_data_count():
    base = EFFICIENTNET_B0.at(64)
    macs = 0.05 * total_cost(base, 10).macs
    shrunk = shrink(base, macs, num_classes=10)
    assert total_cost(shrunk.architecture, 10).macs == pytest.approx(macs, rel=0.01) and shrunk.c == pytest.approx(0.05)
    with pytest.raises(UserError, match="at its narrowest"):
        shrink(base, macs)


@pytest.mark.parametrize(
    "macs, words",
    [
        (0, "only shrinks"),
        (4e8, "has 385.8M: lower macs, or grow"),
        (5e6, "at its narrowest"),
    ],
)
def test_budgets_out_of_reach_are_refused(macs, words):
    with pytest.raises(UserError, match=words):
        shrink(EFFICIENTNET_B0, macs)

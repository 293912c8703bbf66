"""The search for the largest network within a latency, on clocks that are made up and on a real one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.design.cost import total_cost
from src.design.families import EFFICIENTNET_B0, TINYNETS
from src.design.scaling import compound_scale, phi_for_macs, tiny_scale
from src.errors import UserError
from src.search.latency import BUDGET_TOLERANCE, MAX_MEASUREMENTS, Latency, largest_within, measure_latency

WHOLE = total_cost(EFFICIENTNET_B0).macs


def by_width(macs):
    """Return B0 with fewer pixels and about `macs` multiply-adds; budgets below 8 M are out of reach."""
    if macs < 8e6:
        raise UserError("out of reach")
    return tiny_scale(EFFICIENTNET_B0, (min(macs, WHOLE) / WHOLE) ** 0.5, 1, 1)


def macs_of(latencies):
    return [latency.macs for latency in latencies]


def steps(macs):
    """Return budgets from `macs` upwards, closer to each other than the tolerance of the search."""
    return (macs * (1 + BUDGET_TOLERANCE * step) for step in range(1, 100))


def clock(power, whole_seconds):
    """Return the measuring of a machine on which latency is a power of the multiply-adds."""
    return lambda network: Latency(network, whole_seconds * (total_cost(network).macs / WHOLE) ** power)


@given(st.floats(0.6, 1.4), st.floats(0.2, 0.99))
def test_the_answer_keeps_the_time_and_the_next_network_does_not(power, share):
    measure = clock(power, 0.02)
    found = largest_within(by_width, WHOLE, WHOLE, 0.02 * share, measure)
    assert len(found) <= MAX_MEASUREMENTS and macs_of(found) == sorted(macs_of(found))
    best = [latency for latency in found if latency.seconds <= 0.02 * share][-1]
    larger = next(network for network in map(by_width, steps(best.macs)) if total_cost(network).macs > best.macs)
    assert measure(larger).seconds > 0.02 * share


def test_a_base_that_is_fast_enough_is_the_answer_where_nothing_larger_is_asked_for():
    assert macs_of(largest_within(by_width, WHOLE, WHOLE, 0.03, clock(1, 0.02))) == [WHOLE]


def test_a_family_that_grows_is_followed_upwards():
    found = largest_within(
        lambda macs: compound_scale(EFFICIENTNET_B0, phi_for_macs(EFFICIENTNET_B0, macs)),
        WHOLE,
        float("inf"),
        0.1,
        clock(1, 0.02),
    )
    best = [latency for latency in found if latency.seconds <= 0.1][-1]
    assert 4.5 * WHOLE < best.macs <= 5 * WHOLE


def test_a_time_that_no_network_keeps_is_refused_with_the_best_there_is():
    with pytest.raises(UserError, match=r"latency is 0.2ms; the fastest network .* takes \d\.\d\d ms here"):
        largest_within(by_width, WHOLE, WHOLE, 0.0002, clock(1, 0.02))


def test_a_real_network_takes_a_real_time():
    found = measure_latency(TINYNETS["tinynet_e"])
    assert found.macs == total_cost(TINYNETS["tinynet_e"]).macs and 1e-4 < found.seconds < 1

"""Networks of a study with the results of their seeds."""

from dataclasses import replace
from math import isnan, sqrt

import pytest

from src.design.families import TINYNETS
from src.search.analysis.networks import networks_of, pooled_spread
from src.search.study.trial import Result, Trial

SMALL, LARGE = TINYNETS["tinynet_e"], TINYNETS["tinynet_d"]


def result(number, network, top1, **notes):
    status = "failed" if top1 is None else "done"
    return Result(number, Trial(network, "final", number, notes), status, top1, 1.0, 1000 * number, 10, 3.0)


def test_trainings_of_one_network_belong_together_whatever_its_name():
    found = networks_of([result(3, SMALL, 50), result(1, LARGE, 60), result(2, replace(SMALL, name="x"), 52, r=0.5)])
    assert [network.number for network in found] == [1, 2] and found[1].top1s == (52, 50)
    assert (found[1].top1, found[1].spread, found[1].macs, found[1].note("r")) == (
        51,
        pytest.approx(sqrt(2)),
        2000,
        0.5,
    )


def test_failed_trainings_have_no_accuracy():
    (one, other) = networks_of([result(1, SMALL, None), result(2, SMALL, 40), result(3, LARGE, None)])
    assert one.top1 == 40 and isnan(one.spread) and isnan(other.top1) and other.note("r") is None


def test_the_pooled_spread_weighs_networks_by_their_degrees_of_freedom():
    found = networks_of([result(n, SMALL, top1) for n, top1 in enumerate([50, 52, 54])])
    found += networks_of([result(n, LARGE, top1) for n, top1 in enumerate([70, 71])])
    assert pooled_spread(found) == pytest.approx(sqrt((8 + 0.5) / 3))
    assert isnan(pooled_spread(networks_of([result(1, SMALL, 50)])))

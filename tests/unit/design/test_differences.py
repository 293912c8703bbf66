"""Differences of two networks, and when there are none."""

from dataclasses import asdict, replace

from hypothesis import given, settings
from support.random_architectures import architectures

from src.design.differences import differences
from src.design.families import TINYNETS


def test_differences_are_named():
    c, d = TINYNETS["tinynet_c"], TINYNETS["tinynet_d"]
    assert differences(c, d)[:2] == ["resolution 184 (not 152)", "stage 1 repeats 2 (not 1)"]
    assert differences(c, replace(c, name="other", family="efficientnet")) == []
    assert differences(c, replace(c, style=replace(c.style, se_gate="hard_sigmoid"), stages=c.stages[:-1])) == [
        "style se_gate sigmoid (not hard_sigmoid)",
        "stages 7 (not 6)",
    ]


@settings(max_examples=25)
@given(architectures, architectures)
def test_no_difference_means_equal(first, second):
    assert differences(first, first) == []
    unlabeled = [asdict(network) | {"name": "", "family": ""} for network in (first, second)]
    assert bool(differences(first, second)) == (unlabeled[0] != unlabeled[1])

"""search.py compare: two networks side by side."""

import pytest
from hypothesis import given, settings
from support.random_architectures import architectures

from src.config import CompareConfig
from src.design.architecture import Stage
from src.design.cost import total_cost
from src.design.families import ARCHITECTURES, TINYNETS
from src.errors import UserError
from src.search.comparison import compare_networks, notation, side_by_side


def test_a_stage_in_timms_notation():
    assert notation(TINYNETS["tinynet_c"].stages[1]) == "ir_r2_k3_s2_e6_c16_se0.25"
    assert notation(Stage("ir", 3, 1, 4, 16, 2, skip=False)) == "ir_r2_k3_s1_e4_c16_se0.25_noskip"
    assert notation(ARCHITECTURES["ghostnet_100"].stages[3]) == "ghost_r4_k3_s2_e6/2.5/2.3_c80_se0"


def test_a_line_for_each_part_of_either():
    lines = side_by_side(TINYNETS["tinynet_c"], ARCHITECTURES["ghostnet_050"]).splitlines()
    names = [line[:14].strip() for line in lines]
    stages = [f"stage {index}" for index in range(7)]
    ends = ["head_conv", "head", "classifier", "total", "second / first"]
    assert names == ["", "input", "stem", *stages, *ends]
    assert lines[9].split() == ["stage", "6", "ir_r1_k3_s1_e6_c176_se0.25", "-", "6.52", "0.00", "216,282", "0"]
    assert lines[11].split() == ["head", "c1280", "=", "8.11", "0.61", "227,840", "615,680"]
    assert lines[-1].split() == ["second", "/", "first", "x", "0.425", "x", "1.053"]


@settings(max_examples=25)
@given(architectures, architectures)
def test_every_pair_is_shown_with_its_totals(first, second):
    total = side_by_side(first, second).splitlines()[-2].split()
    assert total[-2:] == [f"{total_cost(network).parameters:,}" for network in (first, second)]


def test_compare_prints_both_networks(capsys):
    compare_networks(CompareConfig(models=("tinynet_c", "tinynet_d")))
    assert "x 0.518" in capsys.readouterr().out


@pytest.mark.parametrize("models", [("tinynet_c",), ("tinynet_c", "tinynet_d", "tinynet_e")])
def test_another_number_of_networks_than_two_is_refused(models):
    with pytest.raises(UserError, match=f"models are {len(models)}; name two"):
        compare_networks(CompareConfig(models=models))

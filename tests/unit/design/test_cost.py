import subprocess
import sys

import pytest
from helpers import PROJECT
from hypothesis import given
from hypothesis import strategies as st

from src.design.cost import Cost, cost_table, total_cost
from src.design.families import EFFICIENTNET_B0, TINYNETS
from src.design.scaling import tiny_scale

PARAMETERS = [6_187_972, 3_730_562, 2_457_234, 2_338_446, 2_042_972]
MEGA_MACS = [336.9, 200.7, 99.5, 51.6, 24.4]
PAPER_MEGA_MACS = [339, 202, 100, 52, 24]


@pytest.mark.parametrize("network, parameters", list(zip(TINYNETS.values(), PARAMETERS)))
def test_parameters_are_the_released_networks(network, parameters):
    assert total_cost(network).parameters == parameters


@pytest.mark.parametrize("network, counted, printed", list(zip(TINYNETS.values(), MEGA_MACS, PAPER_MEGA_MACS)))
def test_macs_are_the_papers(network, counted, printed):
    macs = total_cost(network).macs / 1e6
    assert round(macs, 1) == counted
    assert macs == pytest.approx(printed, rel=0.02)


def test_base_network():
    assert total_cost(EFFICIENTNET_B0).parameters == 5_288_548
    assert round(total_cost(EFFICIENTNET_B0).macs / 1e6, 1) == 385.8


def test_table_adds_up_and_follows_the_sizes():
    rows = cost_table(TINYNETS["tinynet_e"])
    assert sum((row.cost for row in rows), Cost()) == total_cost(TINYNETS["tinynet_e"])
    assert [row.size for row in rows] == [53, 53, 27, 14, 7, 7, 4, 4, 4, 1]


@given(st.floats(0.3, 1), st.floats(0.2, 1), st.floats(0.3, 2), st.integers(1, 1000))
def test_cost_grows_with_every_factor(resolution, width, depth, classes):
    small = total_cost(tiny_scale(EFFICIENTNET_B0, resolution, width, depth), classes)
    large = total_cost(tiny_scale(EFFICIENTNET_B0, resolution * 1.1, width * 1.1, depth * 1.1), classes + 1)
    assert small.macs < large.macs and small.parameters < large.parameters


def test_design_needs_no_framework():
    code = "import sys; import src.design.cost, src.design.families; sys.exit('mindspore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=PROJECT).returncode == 0

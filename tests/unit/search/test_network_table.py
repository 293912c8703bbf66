"""The table of one network: its lines, and straight columns."""

from hypothesis import given
from support.random_architectures import architectures

from src.design.cost import total_cost
from src.design.families import ARCHITECTURES
from src.search.network_table import network_table


def test_a_row_describes_a_part_and_its_cost():
    lines = [line.split() for line in network_table(ARCHITECTURES["ghostnet_100"]).splitlines()]
    assert lines[0] == ["ghostnet_100,", "224", "x", "224"]
    assert lines[2] == ["stem", "conv", "3", "2", "16", "112", "5.42", "464"]
    assert lines[6] == ["stage", "3", "ghost", "3", "2", "6/2.5/2.3", "80", "4", "0", "14", "17.30", "73,612"]
    assert lines[-1] == ["total", "141.15", "5,182,508"]


@given(architectures)
def test_columns_are_straight_and_the_last_line_is_the_cost(network):
    _, header, *rows = network_table(network).rsplit("\n", len(network.stages) + 4 + bool(network.head_conv))
    assert {len(row) for row in rows} == {len(header)}
    assert rows[-1].split()[-1] == f"{total_cost(network).parameters:,}"

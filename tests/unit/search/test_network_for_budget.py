"""search.py formula: networks for budgets of multiply-adds and of latency, and the report about them."""

import pytest

from src.config import FormulaConfig
from src.design.architecture_file import load_architecture
from src.design.families import TINYNETS
from src.errors import UserError
from src.search.network_for_budget import find_network
from src.search.network_table import network_table


def test_formula_says_where_its_numbers_are_from(capsys, tmp_path):
    path = tmp_path / "mine.yaml"
    find_network(FormulaConfig(macs="100M", output=path))
    first, c, resolution, depth, width, met, same, written, _, *rest = capsys.readouterr().out.splitlines()
    assert first == "tiny formula, fitted on TinyNet-A to E and EfficientNet-B0, as published"
    assert c.split() == ["c", "0.2592", "of", "the", "MACs", "of", "efficientnet_b0"]
    assert resolution.split() == ["resolution", "0.825", "+-", "0.002", "184", "pixels"]
    assert depth.split() == ["depth", "0.852", "+-", "0.003"]
    assert width.endswith("solved on the cost; sqrt(c / (r^2 d)) is 0.668")
    assert met == "99.54 M MACs, -0.46% of the budget" and same == "the same network as tinynet_c"
    assert written == f"written to {path}; train it by {tmp_path / 'mine_train.yaml'}"
    assert load_architecture(path).stages == TINYNETS["tinynet_c"].stages
    assert "\n".join(rest) == network_table(load_architecture(path))


def test_formula_says_what_it_moved_and_how_it_differs(capsys):
    find_network(FormulaConfig(macs="24M"))
    out = capsys.readouterr().out
    assert "differs from tinynet_e: resolution 105 (not 106); stage 6 channels 152 (not 160)\n" in out
    assert "extrapolated, because c is outside the points' range, 0.0631 to 1\n" in out
    find_network(FormulaConfig(macs="116M", pixels=0))
    assert " to meet the budget\n" in capsys.readouterr().out


def test_formula_on_points_and_a_base_of_ones_own(capsys, tmp_path):
    points = tmp_path / "points.csv"
    points.write_text("c,r,d\n0.1,0.6,0.7\n0.3,0.8,0.9\n1,1,1\n")
    find_network(FormulaConfig(macs="60M", base="ghostnet_100", points=points))
    out = capsys.readouterr().out
    assert f"fitted on {points}\n" in out and "of the MACs of ghostnet_100" in out and "tinynet" not in out


def test_the_giant_rule(capsys):
    find_network(FormulaConfig(macs="700M", rule="giant"))
    out = capsys.readouterr().out
    assert out.startswith("giant formula, efficientnet_b0 scaled by phi = ")
    with pytest.raises(UserError, match="plot, points and formula are for the tiny rule"):
        find_network(FormulaConfig(macs="700M", rule="giant", plot="a.png"))


def test_the_largest_network_within_a_time(capsys):
    """One limit that any machine meets, and one that none meets."""
    find_network(FormulaConfig(latency="10s", base="tinynet_e"))
    out = capsys.readouterr().out
    assert (
        "chosen: the largest network within the limit\n" in out
        and "threads: 1\n" in out
        and out.splitlines()[1].split()[:2] == ["c", "1.0000"]
    )
    with pytest.raises(UserError, match="latency is 0.001ms; the fastest network of this family that was measured"):
        find_network(FormulaConfig(latency="0.001ms", base="tinynet_e"))


@pytest.mark.parametrize("budget", [{}, {"macs": "1M", "latency": "1ms"}])
def test_exactly_one_budget_must_be_given(budget):
    with pytest.raises(UserError, match="macs or latency: give one of them"):
        find_network(FormulaConfig(**budget))


def test_more_threads_than_cores_would_measure_their_waiting():
    with pytest.raises(UserError, match="threads is 1024; this process may use"):
        find_network(FormulaConfig(macs="100M", benchmark=True, threads=1024))


def test_the_network_that_is_scaled_is_not_written_over(tmp_path):
    find_network(FormulaConfig(macs="200M", output=tmp_path / "a.yaml"))
    before = (tmp_path / "a.yaml").read_bytes()
    with pytest.raises(UserError, match="a.yaml is read and would be overwritten; give another name"):
        find_network(FormulaConfig(macs="100M", base=str(tmp_path / "a.yaml"), output=tmp_path / "a.yaml"))
    assert (tmp_path / "a.yaml").read_bytes() == before


def test_an_earlier_result_is_replaced(tmp_path):
    for macs in ("200M", "100M"):
        find_network(FormulaConfig(macs=macs, output=tmp_path / "a b.yaml"))
    assert load_architecture(tmp_path / "a b.yaml").stages == TINYNETS["tinynet_c"].stages


@pytest.mark.parametrize("name", ["a.yaml", "a_train.yaml"])
def test_files_of_the_user_are_not_written_over(tmp_path, name):
    (tmp_path / name).write_text("name: mine")
    with pytest.raises(UserError, match=f"{name} exists and was not made by this program"):
        find_network(FormulaConfig(macs="100M", output=tmp_path / "a.yaml"))
    assert [path.name for path in tmp_path.iterdir()] == [name]

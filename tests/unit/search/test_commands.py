import json

import pytest

from src.config import CompareConfig, CostConfig, FormulaConfig, TableConfig
from src.design.architecture_file import load_architecture
from src.design.cost import total_cost
from src.design.families import ARCHITECTURES, TINYNETS
from src.errors import UserError
from src.search.commands import compare, cost, formula, published
from src.search.models_table import ALL_NETWORKS, END
from src.search.table import table


def test_cost_as_tables(capsys):
    cost(CostConfig(models=("tinynet_c", "ghostnet_050")))
    assert capsys.readouterr().out == "\n\n".join(table(ARCHITECTURES[n]) for n in ("tinynet_c", "ghostnet_050")) + "\n"


def test_cost_of_all_is_a_line_each(capsys):
    cost(CostConfig(all=True))
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.split()[:4] == ["network", "pixels", "M", "MACs"]
    assert [line.split()[0] for line in lines] == list(ARCHITECTURES)
    assert lines[2].split() == ["tinynet_c", "184", "99.54", "2,457,234", "2.87"]


def test_cost_as_json_at_another_size_and_class_count(capsys):
    cost(CostConfig(models=("tinynet_c",), json=True, num_classes=10, input_size=96))
    result = json.loads(capsys.readouterr().out)
    whole = total_cost(TINYNETS["tinynet_c"].at(96), num_classes=10)
    assert (result["model"], result["resolution"]) == ("tinynet_c", 96)
    assert (result["parameters"], result["macs"], result["activations"]) == whole
    for key in ("parameters", "macs", "activations"):
        assert sum(part[key] for part in result["parts"]) == result[key]


def test_formula_says_where_its_numbers_are_from(capsys, tmp_path):
    path = tmp_path / "mine.yaml"
    formula(FormulaConfig(macs="100M", output=path))
    first, c, resolution, depth, width, met, same, written, _, *rest = capsys.readouterr().out.splitlines()
    assert first == "tiny formula, fitted on TinyNet-A to E and EfficientNet-B0, as published"
    assert c.split() == ["c", "0.2592", "of", "the", "MACs", "of", "efficientnet_b0"]
    assert resolution.split() == ["resolution", "0.825", "+-", "0.002", "184", "pixels"]
    assert depth.split() == ["depth", "0.852", "+-", "0.003"]
    assert width.endswith("solved on the cost; sqrt(c / (r^2 d)) is 0.668")
    assert met == "99.54 M MACs, -0.46% of the budget" and same == "the same network as tinynet_c"
    assert written == f"written to {path}; train it by {tmp_path / 'mine_train.yaml'}"
    assert load_architecture(path).stages == TINYNETS["tinynet_c"].stages
    assert "\n".join(rest) == table(load_architecture(path))


def test_formula_says_what_it_moved_and_how_it_differs(capsys):
    formula(FormulaConfig(macs="24M"))
    out = capsys.readouterr().out
    assert "differs from tinynet_e: resolution 105 (not 106); stage 6 channels 152 (not 160)\n" in out
    assert "c is outside of the points, 0.0631 to 1: this is extrapolated\n" in out
    formula(FormulaConfig(macs="116M", pixels=0))
    assert " to meet the budget\n" in capsys.readouterr().out


def test_formula_on_points_and_a_base_of_ones_own(capsys, tmp_path):
    points = tmp_path / "points.csv"
    points.write_text("c,r,d\n0.1,0.6,0.7\n0.3,0.8,0.9\n1,1,1\n")
    formula(FormulaConfig(macs="60M", base="ghostnet_100", points=points))
    out = capsys.readouterr().out
    assert f"fitted on {points}\n" in out and "of the MACs of ghostnet_100" in out and "tinynet" not in out


def test_the_giant_rule(capsys):
    formula(FormulaConfig(macs="700M", rule="giant"))
    out = capsys.readouterr().out
    assert out.startswith("giant formula, efficientnet_b0 scaled by phi = ")
    with pytest.raises(UserError, match="plot and points are the tiny rule's"):
        formula(FormulaConfig(macs="700M", rule="giant", plot="a.png"))


def test_compare(capsys):
    compare(CompareConfig(models=("tinynet_c", "tinynet_d")))
    assert "x 0.518" in capsys.readouterr().out


@pytest.mark.parametrize(
    "action, config, words",
    [
        (cost, CostConfig(), "models are missing"),
        (cost, CostConfig(models=("tinynet_x",)), "no network 'tinynet_x'"),
        (formula, FormulaConfig(), "macs or latency: give one of them"),
        (formula, FormulaConfig(macs="1M", latency="1ms"), "macs or latency: give one of them"),
        (compare, CompareConfig(models=("tinynet_c",)), "models are 1; name two"),
    ],
)
def test_what_is_missing_is_named(action, config, words):
    with pytest.raises(UserError, match=words):
        action(config)


def test_the_table_is_printed_or_written(capsys, tmp_path):
    published(TableConfig())
    assert capsys.readouterr().out == ALL_NETWORKS.markdown() + "\n"
    files = tmp_path / "a.md", tmp_path / "b_CN.md"
    for file in files:
        file.write_text(f"{ALL_NETWORKS.begin}{END}")
    published(TableConfig(write=True, files=files))
    assert capsys.readouterr().out == ""
    assert ALL_NETWORKS.markdown() in files[0].read_text()
    assert ALL_NETWORKS.markdown(chinese=True) in files[1].read_text()
    for config in (TableConfig(write=True), TableConfig(files=files)):
        with pytest.raises(UserError, match="--write and files belong together"):
            published(config)


def test_the_largest_network_within_a_time(capsys):
    """Times that any machine keeps, and that none does."""
    formula(FormulaConfig(latency="10s", base="tinynet_e"))
    out = capsys.readouterr().out
    assert (
        "taken: the largest within the time\n" in out
        and "threads: 1\n" in out
        and out.splitlines()[1].split()[:2] == ["c", "1.0000"]
    )
    with pytest.raises(UserError, match="latency is 0.001ms; the fastest network of this family that was measured"):
        formula(FormulaConfig(latency="0.001ms", base="tinynet_e"))

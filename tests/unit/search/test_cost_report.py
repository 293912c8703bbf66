"""search.py cost: tables, overview and JSON."""

import json

import pytest

from src.config import CostConfig
from src.design.cost import total_cost
from src.design.families import ARCHITECTURES, TINYNETS
from src.errors import UserError
from src.search.cost_report import show_cost
from src.search.network_table import network_table


def test_cost_as_tables(capsys):
    show_cost(CostConfig(models=("tinynet_c", "ghostnet_050")))
    assert (
        capsys.readouterr().out
        == "\n\n".join(network_table(ARCHITECTURES[n]) for n in ("tinynet_c", "ghostnet_050")) + "\n"
    )


def test_cost_of_all_is_a_line_each(capsys):
    show_cost(CostConfig(all=True))
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.split()[:4] == ["network", "pixels", "M", "MACs"]
    assert [line.split()[0] for line in lines] == list(ARCHITECTURES)
    assert lines[2].split() == ["tinynet_c", "184", "99.54", "2,457,234", "2.87"]


def test_cost_as_json_at_another_size_and_class_count(capsys):
    show_cost(CostConfig(models=("tinynet_c",), json=True, num_classes=10, input_size=96))
    result = json.loads(capsys.readouterr().out)
    whole = total_cost(TINYNETS["tinynet_c"].at(96), num_classes=10)
    assert (result["model"], result["resolution"]) == ("tinynet_c", 96)
    assert (result["parameters"], result["macs"], result["activations"]) == whole
    for key in ("parameters", "macs", "activations"):
        assert sum(part[key] for part in result["parts"]) == result[key]


@pytest.mark.parametrize("models, words", [((), "models are missing"), (("tinynet_x",), "no network 'tinynet_x'")])
def test_missing_and_unknown_networks_are_refused(models, words):
    with pytest.raises(UserError, match=words):
        show_cost(CostConfig(models=models))


def test_cost_of_a_detector(capsys):
    show_cost(CostConfig(models=("tinynet_d",), detect=True))
    title, _, *rows, total = capsys.readouterr().out.splitlines()
    assert title == "SSDLite on tinynet_d, 320 x 320, 80 classes, 3,234 anchors"
    assert [row.split()[0] for row in rows] == ["stem", *["stage"] * 7, "head", *["extra"] * 4, *["heads"] * 6]
    assert total.split() == ["total", "404.07", "3,215,578"]


def test_cost_of_detectors_as_json_and_as_an_overview(capsys):
    options = {"models": ("tinynet_e",), "detect": True, "num_classes": 10, "input_size": 192, "last_map": "block"}
    show_cost(CostConfig(**options, json=True))
    result = json.loads(capsys.readouterr().out)
    assert (result["parameters"], result["anchors"], result["resolution"]) == (1_109_968, 1170, 192)
    assert sum(part["macs"] for part in result["parts"]) == result["macs"]
    show_cost(CostConfig(**options, all=True))
    assert capsys.readouterr().out.splitlines()[1].split()[:4] == ["tinynet_e", "192", "66.76", "1,109,968"]

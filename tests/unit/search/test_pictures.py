"""Pictures are drawn, and without matplotlib one line says so."""

import sys
from dataclasses import replace

import pytest

from src.design.cost import total_cost
from src.design.families import ARCHITECTURES, EFFICIENTNET_B0, TINYNETS
from src.design.formula import published_formula
from src.design.shrink import shrink
from src.errors import UserError
from src.search.pictures import draw_families, draw_formula, draw_stages

NETWORKS = [*ARCHITECTURES.values(), EFFICIENTNET_B0.at(100), shrink(EFFICIENTNET_B0, 1e8).architecture]


def is_picture(path):
    return path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 10_000


def test_the_formula_is_drawn(tmp_path):
    draw_formula(published_formula(), shrink(EFFICIENTNET_B0, 1e8), EFFICIENTNET_B0, tmp_path / "formula.png")
    assert is_picture(tmp_path / "formula.png")


def test_a_base_that_cannot_be_shrunk_far_is_drawn_where_it_can(tmp_path):
    base = replace(TINYNETS["tinynet_e"], name="half $price$ \\frac")
    with pytest.raises(UserError, match="at its narrowest"):
        shrink(base, 0.03 * total_cost(base).macs)
    draw_formula(published_formula(), shrink(base, 2e7), base, tmp_path / "formula.png")
    assert is_picture(tmp_path / "formula.png")


def test_families_and_networks_of_no_family_are_drawn(tmp_path):
    draw_families(NETWORKS, tmp_path / "families.png")
    assert is_picture(tmp_path / "families.png")


def test_stages_are_drawn(tmp_path):
    draw_stages(ARCHITECTURES["ghostnet_100"], tmp_path / "stages.png")
    assert is_picture(tmp_path / "stages.png")


def test_without_matplotlib_one_line_says_so(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(UserError, match="--plot needs matplotlib"):
        draw_families(NETWORKS, tmp_path / "families.png")

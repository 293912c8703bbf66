"""formula.json comes back as it was written, and its faults are named."""

import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.config import FormulaConfig
from src.design.cost import total_cost
from src.design.families import EFFICIENTNET_B0
from src.design.formula import Kernel, fit
from src.design.points import Point
from src.errors import UserError
from src.search.formula_file import read_formula, save_formula
from src.search.network_for_budget import find_network

BASE = EFFICIENTNET_B0.at(64)
POINTS = {3: Point(0.1, 0.6, 0.7), 14: Point(0.3, 0.8, 0.9), 15: Point(0.9, 1, 1.1)}


@pytest.fixture
def path(tmp_path):
    save_formula(tmp_path / "formula.json", POINTS, BASE, 10, {"command": "twist"})
    return tmp_path / "formula.json"


@settings(max_examples=6)
@given(
    st.lists(st.floats(0.02, 1), min_size=3, max_size=8, unique=True),
    st.builds(Kernel, st.floats(0.1, 5), st.floats(0.1, 3), st.just((0.05, 0.1))),
)
def test_what_is_read_gives_the_same_curves(tmp_path_factory, budgets, kernel):
    path = tmp_path_factory.getbasetemp() / "formula.json"
    points = {number: Point(c, c**0.3, c**0.2) for number, c in enumerate(budgets)}
    save_formula(path, points, BASE, 10, {}, kernel)
    found, fitted = read_formula(path), fit(list(points.values()), kernel)
    assert found.formula.points == fitted.points and (found.base, found.num_classes) == (BASE, 10)
    assert [found.formula.at(c) for c in (0.03, 0.5)] == [fitted.at(c) for c in (0.03, 0.5)]


def test_the_file_names_the_trials_of_its_points(path):
    content = json.loads(path.read_text())
    assert [point["trial"] for point in content["points"]] == [3, 14, 15] and content["study"] == {"command": "twist"}


def test_a_network_for_a_budget_uses_the_files_base_and_classes(path, capsys):
    find_network(FormulaConfig(macs="8M", formula=path))
    out = capsys.readouterr().out
    c = 8e6 / total_cost(BASE, 10).macs
    (r, _), (d, _) = fit(list(POINTS.values())).at(c)
    assert f"tiny formula, fitted on {path}\n" in out and f"{c:.4f}" in out
    assert f"{r:.3f} +-" in out and f"{d:.3f} +-" in out
    assert " M MACs with 10 classes, " in out and re.search(r"\nclassifier +linear +10 +1 ", out)


def test_flags_overrule_the_files_base_and_classes(path, capsys):
    find_network(FormulaConfig(macs="60M", formula=path, base="ghostnet_100", num_classes=100))
    out = capsys.readouterr().out
    assert "of the MACs of ghostnet_100" in out and "with 100 classes" in out


def change(**changes):
    return lambda content: content | changes


@pytest.mark.parametrize(
    "damage, words",
    [
        (lambda content: [content], "is no formula; expected a formula.json"),
        (change(format=2), "is no formula"),
        (change(points=[{"c": 0.1, "r": 1, "d": 1}] * 5), "points at 1 values of c; the formula needs at least 3"),
        (change(points=[{"c": 0.1, "r": 1}]), "points[0].d is missing"),
        (change(points=[{"c": 0.1, "r": -1, "d": 1}]), "points[0].r is -1; expected greater than or equal to 0.001"),
        (change(kernel={"length": 0, "amplitude": 1, "noises": [0.1]}), "kernel.length is 0; expected greater"),
        (change(kernel={"length": 1, "amplitude": 1, "noises": []}), "kernel.noises is []"),
        (change(kernel={"length": 1, "amplitude": 1, "noises": [0.1], "x": 1}), "kernel.x is 1; expected no such key"),
        (change(num_classes="ten"), "num_classes is 'ten'"),
        (change(base={}), "base: name is missing"),
        (change(base=7), "base is 7; expected a mapping"),
    ],
)
def test_faults_are_named(path, damage, words):
    path.write_text(json.dumps(damage(json.loads(path.read_text()))))
    with pytest.raises(UserError) as fault:
        read_formula(path)
    assert words in str(fault.value) and "\n" not in str(fault.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match="cannot read the formula .*: No such file"):
        read_formula(tmp_path / "formula.json")


def test_a_formula_and_points_contradict_each_other(path):
    with pytest.raises(UserError, match="points is a.csv and formula is .*; give one of them"):
        find_network(FormulaConfig(macs="8M", formula=path, points="a.csv"))


@pytest.mark.parametrize("length, amplitude, noise", [(0.01, 10, 0.01), (10, 10, 0.01), (10, 0.01, 10)])
def test_every_allowed_kernel_can_be_fitted(length, amplitude, noise):
    budgets = [*np.linspace(0.03, 1, 20), 0.03, 0.03]
    fit([Point(c, 1, 1) for c in budgets], Kernel(length, amplitude, (noise,)))

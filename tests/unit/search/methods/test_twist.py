"""search.py twist: the drawn networks, driven by formulas instead of trainings."""

from dataclasses import replace
from math import log

import numpy as np
import pytest
from support.fake_study import CLASSES, run_rounds

from src.config import TwistConfig
from src.design.cost import total_cost
from src.design.families import EFFICIENTNET_B0
from src.design.scaling import tiny_scale
from src.errors import UserError
from src.search.methods.twist import Twist

BASE = EFFICIENTNET_B0.at(64)
MACS = total_cost(BASE, CLASSES).macs


def twist(**settings):
    return Twist(TwistConfig(**{"trials": 40, "budget_trials": 10, "select": 12, **settings}), BASE, CLASSES)


def nameless(trials):
    return [replace(trial.architecture, name="") for trial in trials]


def shares(trials):
    """Return the MACs of each network as a share of the base's, counted here."""
    return np.array([total_cost(trial.architecture, CLASSES).macs / MACS for trial in trials])


@pytest.fixture(scope="module")
def drawn():
    """The networks of all budgets."""
    return twist().all_budgets()


@pytest.fixture(scope="module")
def study():
    """A method and the results of its rounds; larger inputs are better, and MACs count little."""
    method = twist()
    return method, run_rounds(method, lambda trial: 60 + trial.architecture.resolution / 4 + log(shares([trial])[0]))


def test_networks_of_one_budget_meet_it_beside_the_inverse_giant():
    giant, *others = twist(budget=0.4, tolerance=0.03).one_budget()
    assert giant.group == "inverse giant" and len(others) == 10
    assert np.abs(shares(others) / 0.4 - 1).max() <= 0.03
    assert len(set(nameless(others))) == 10


def test_networks_of_all_budgets_are_different_and_within_the_ranges(drawn):
    config = twist().config
    assert len(drawn) == 40 == len(set(nameless(drawn)))
    assert config.c_range[0] <= shares(drawn).min() <= shares(drawn).max() <= config.c_range[1]
    pixels = [trial.architecture.resolution for trial in drawn]
    assert int(64 * 0.4) <= min(pixels) and max(pixels) <= 64 * 1.2


def test_each_tenth_of_ln_c_has_as_many_networks(drawn):
    low, high = map(log, twist().config.c_range)
    places = ((np.log(shares(drawn)) - low) / (high - low) * 10).astype(int)
    assert np.bincount(places).tolist() == [4] * 10


def test_the_notes_are_the_factors_of_the_built_network(drawn):
    for trial in drawn:
        network, notes = trial.architecture, trial.notes
        assert notes["r"] == pytest.approx(network.resolution / 64, abs=1e-6)
        assert notes["c"] == pytest.approx(shares([trial])[0], abs=1e-6)
        assert nameless([trial]) == [
            replace(tiny_scale(BASE.at(network.resolution), 1, notes["w"], notes["d"]), name="")
        ]


def test_a_seed_gives_the_same_networks_and_another_one_others(drawn):
    assert twist().all_budgets() == drawn and twist().one_budget() == twist().one_budget()
    assert not set(nameless(twist(seed=2).all_budgets())) & set(nameless(drawn))


@pytest.mark.parametrize("settings", [{"d_range": (1, 1), "w_range": (1, 1)}, {"c_range": (0.9, 0.91)}])
def test_too_narrow_ranges_are_one_line(settings, monkeypatch):
    monkeypatch.setattr("src.search.methods.twist.MOST_DRAWS", 5)
    with pytest.raises(UserError, match=r"^only \d+ of 40 different networks were found in 200 draws; widen"):
        twist(**settings).all_budgets()


def test_the_final_comparison_has_three_rules_at_equal_macs(study):
    method, (_, finals) = study
    rules = ["inverse giant", "published formula", "new formula"]
    assert [result.trial.notes["rule"] for result in finals[::3]] == 2 * rules
    for budget, results in ((0.25, finals[:9]), (0.5, finals[9:])):
        by_formula = [result for result in results if result.trial.notes["rule"] != "inverse giant"]
        assert {result.trial.seed for result in results} == {1, 2, 3}
        assert [result.macs for result in by_formula] == pytest.approx([budget * MACS] * 6, rel=0.05)
    assert method.expected_trials() == 40 + 11 + 18


def test_only_finished_networks_of_all_budgets_are_selected():
    method = twist()
    first = run_rounds(method, lambda trial: None if trial.architecture.resolution > 50 else 70 + trial.notes["c"])[0]
    chosen = method.selected(first)
    assert chosen and all(result.is_done and result.trial.group == "all budgets" for result in chosen)
    assert [result.macs for result in chosen] == sorted(result.macs for result in chosen)


def test_without_any_result_there_is_no_formula():
    rounds = run_rounds(twist(), lambda trial: None)
    assert len(rounds) == 1

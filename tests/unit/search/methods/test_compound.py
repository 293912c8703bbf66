"""search.py compound, driven by formulas instead of trainings."""

from dataclasses import replace
from itertools import product

import pytest
from support.fake_study import CLASSES, run_rounds

from src.config import CompoundConfig
from src.design.cost import total_cost
from src.design.families import ARCHITECTURES
from src.design.scaling import Compound, compound_scale
from src.errors import UserError
from src.search.methods.compound import CompoundSearch, coefficients_of

BASE = ARCHITECTURES["tinynet_e"].at(48)
GOAL = Compound(1.0, 1.2, 1.2)


def compound(base=BASE, **settings):
    return CompoundSearch(CompoundConfig(**settings), base, CLASSES)


def near_the_goal(trial):
    """Return an accuracy that is highest at `GOAL` and does not depend on the MACs."""
    if "rule" in trial.notes:
        return 70.0
    distance = sum(abs(trial.notes[key] - value) for key, value in GOAL._asdict().items())
    return 80 - 20 * distance


@pytest.fixture(scope="module")
def study():
    """A method without a price of MACs, and the results of its rounds."""
    method = compound(exponent=0)
    return method, run_rounds(method, near_the_goal)


def test_every_coefficient_of_the_grid_is_trained_at_phi_1_or_shares_a_training(study):
    method, (grid, _) = study
    values = [round(1 + 0.1 * index, 1) for index in range(12)]
    triples = product(values, repeat=3)
    wanted = {(a, b, c) for a, b, c in triples if abs(a * b**2 * c**2 - 2) <= 0.1}
    networks = [result.trial.architecture for result in grid]
    assert {tuple(each) for group in method.groups.values() for each in group} == wanted
    for result in grid:
        for each in method.groups[coefficients_of(result)]:
            assert replace(compound_scale(BASE, 1, each), name="") == replace(result.trial.architecture, name="")
    assert len({replace(network, name="") for network in networks}) == len(networks) == 15
    assert next(result.trial.notes["same"] for result in grid if "same" in result.trial.notes) == "1.2/1.1/1.2"


def test_the_planted_coefficients_are_found_with_their_neighbors(study):
    method, rounds = study
    results = rounds[0] + rounds[1]
    assert coefficients_of(method.best(results)) == GOAL
    # Of the grid, those at most 0.1 from (1, 1.2, 1.2) in each coefficient:
    assert {tuple(coefficients_of(result)) for result in method.neighbors(results)} == {
        (1.0, 1.1, 1.3), (1.0, 1.3, 1.1), (1.1, 1.1, 1.2), (1.1, 1.2, 1.1),
    }  # fmt: skip


def test_macs_have_a_price():
    method = compound()
    base_macs = total_cost(BASE, CLASSES).macs
    (results, _) = run_rounds(method, lambda trial: 80.0)
    cheapest = min(results, key=lambda result: result.macs)
    assert method.best(results) is cheapest
    assert method.score(cheapest) == pytest.approx(80 * (cheapest.macs / (2 * base_macs)) ** -0.07)


def test_the_final_comparison_is_at_equal_macs(study):
    _, (_, finals) = study
    found = finals[0].macs
    assert [result.trial.notes["rule"] for result in finals[::3]] == [
        "found coefficients", "published coefficients", "depth alone", "width alone", "resolution alone",
    ]  # fmt: skip
    for result in finals[3:]:
        assert result.macs == pytest.approx(found, rel=0.2 if result.trial.notes["rule"] == "depth alone" else 0.03)
    assert {result.trial.seed for result in finals} == {2, 3, 4}
    depth, width, resolution = (finals[index].trial.architecture for index in (6, 9, 12))
    assert depth.resolution == width.resolution == BASE.resolution < resolution.resolution
    assert [stage.channels for stage in depth.stages] == [stage.channels for stage in BASE.stages]


def test_a_rule_that_makes_the_found_network_is_not_trained_again():
    def score(trial):
        return 90.0 if trial.notes.get("alpha") == 2.0 else 50.0

    finals = run_rounds(compound(exponent=0, final_seeds=1), score)[-1]
    rules = [result.trial.notes["rule"] for result in finals]
    assert rules == ["found coefficients", "published coefficients", "width alone", "resolution alone"]


def test_the_family_grows_by_phi():
    method = compound(family=4)
    networks = method.family(Compound(1.2, 1.1, 1.15))
    assert [network.resolution for network in networks] == [int(48 * 1.15**phi) for phi in (1, 2, 3, 4)]
    macs = [total_cost(network, CLASSES).macs for network in networks]
    assert macs == sorted(macs) and len({network.name for network in networks}) == 4


def test_the_same_results_give_the_same_proposals(study):
    _, rounds = study
    assert run_rounds(compound(exponent=0), near_the_goal) == rounds


def test_without_any_result_there_is_no_best():
    method = compound()
    (results,) = run_rounds(method, lambda trial: None)
    assert method.best(results) is None and method.neighbors(results) == []


def test_an_empty_grid_is_one_line():
    with pytest.raises(UserError, match="^no alpha, beta and gamma 1 apart .* within 0.05 of 1.5; lower grid_step"):
        compound(grid_step=1, growth=1.5, grid_tolerance=0.05)

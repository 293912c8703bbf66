"""search.py baseline, driven by formulas instead of trainings."""

import sys
from dataclasses import replace

import pytest
from support.fake_study import CLASSES, run_rounds

from src.config import BaselineConfig
from src.design.cost import total_cost
from src.design.families import ARCHITECTURES
from src.errors import UserError
from src.search.methods.baseline import Baseline

BASE = ARCHITECTURES["tinynet_e"].at(48)


def baseline(**settings):
    return Baseline(BaselineConfig(**{"population": 8, "generations": 4, **settings}), BASE, CLASSES)


def by_kernels(trial):
    """Return an accuracy that rises with the stages of kernel 5, which cost little."""
    return 60 + 4 * sum(stage.kernel == 5 for stage in trial.architecture.stages)


def nameless(results):
    return [replace(result.trial.architecture, name="") for result in results]


@pytest.fixture(scope="module")
def study():
    """A method, and the results of its rounds by `by_kernels`."""
    method = baseline()
    return method, run_rounds(method, by_kernels)


def test_the_first_generation_begins_with_the_base(study):
    _, rounds = study
    assert nameless(rounds[0])[0] == replace(BASE, name="")
    assert [results[0].trial.group for results in rounds] == [
        "generation 1", "generation 2", "generation 3", "generation 4", "final",
    ]  # fmt: skip


def test_no_network_is_trained_twice(study):
    _, rounds = study
    networks = [network for results in rounds[:-1] for network in nameless(results)]
    assert len(set(networks)) == len(networks) >= 30


def test_generations_become_better(study):
    method, rounds = study
    best = [max(map(method.reward, results)) for results in rounds[:-1]]
    assert max(best[1:]) > best[0]


def test_the_reward_is_that_of_the_paper(study):
    method, rounds = study
    result = rounds[0][3]
    macs, target = total_cost(result.trial.architecture, CLASSES).macs, total_cost(BASE, CLASSES).macs
    assert method.reward(result) == pytest.approx(result.top1 * (macs / target) ** -0.07)
    assert baseline(target=0.5).reward(result) == pytest.approx(result.top1 * (macs / (0.5 * target)) ** -0.07)


def test_the_found_network_meets_the_base_at_equal_macs_with_new_seeds(study):
    method, rounds = study
    searched = [result for results in rounds[:-1] for result in results]
    best = max(searched, key=method.reward)
    found, scaled = rounds[-1][0], rounds[-1][3]
    assert found.trial.architecture == best.trial.architecture
    assert scaled.macs == pytest.approx(found.macs, rel=0.03)
    kept = [(stage.block, stage.kernel, stage.repeats) for stage in scaled.trial.architecture.stages]
    assert kept == [(stage.block, stage.kernel, stage.repeats) for stage in BASE.stages]
    assert [result.trial.seed for result in rounds[-1]] == [2, 3, 4, 2, 3, 4]


def test_a_replay_proposes_the_same_and_another_seed_proposes_others(study):
    _, rounds = study
    assert run_rounds(baseline(), by_kernels) == rounds
    other = run_rounds(baseline(seed=2, generations=1, final_seeds=0), by_kernels)
    assert nameless(other[0])[1:] != nameless(rounds[0])[1:]


def test_failed_trainings_are_worse_than_all_others():
    def score(trial):
        return None if trial.architecture.stages[2].kernel == 5 else by_kernels(trial)

    method = baseline(final_seeds=0)
    rounds = run_rounds(method, score)
    failed = [sum(not result.is_done for result in results) for results in rounds]
    assert failed[-1] < failed[0] and method.best([result for results in rounds for result in results]).is_done


def test_without_any_result_there_is_no_final_comparison():
    rounds = run_rounds(baseline(), lambda trial: None)
    assert all(result.trial.group != "final" for results in rounds for result in results)


def test_a_missing_pymoo_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "src.search.methods.evolution", None)
    monkeypatch.delattr("src.search.methods.evolution", raising=False)
    with pytest.raises(UserError, match=r"^search.py baseline evolves networks by pymoo, which is missing; `pip ins"):
        baseline()

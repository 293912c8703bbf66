"""search.py greedy, driven by formulas instead of trainings."""

from dataclasses import replace
from statistics import stdev

import pytest
from support.fake_study import CLASSES, run_rounds

from src.config import GreedyConfig
from src.design.cost import total_cost
from src.design.families import ARCHITECTURES
from src.errors import UserError
from src.search.methods.greedy import Greedy

BASE = ARCHITECTURES["tinynet_e"].at(48)


def greedy(base=BASE, **settings):
    return Greedy(GreedyConfig(**{"target": 2.5, "steps": 4, **settings}), base, CLASSES)


def by_blocks_of_stage_4(trial):
    """Return an accuracy that rises with the depth of one stage, by more than seeds change it."""
    return 50 + trial.architecture.stages[4].repeats + 0.01 * trial.seed


@pytest.fixture(scope="module")
def study():
    """A method, and the results of its rounds by `by_blocks_of_stage_4`."""
    method = greedy()
    return method, run_rounds(method, by_blocks_of_stage_4)


def flat(rounds):
    return [result for results in rounds for result in results]


def test_the_planted_dimension_is_found_in_every_step(study):
    method, rounds = study
    kept = [result.trial.notes for result in method.trace(flat(rounds))[1:]]
    assert [notes["step"] for notes in kept] == [1, 2, 3, 4]
    assert {(notes["dimension"], notes["stage"]) for notes in kept} == {("depth", 4)}


def test_the_trace_begins_with_the_base_and_holds_each_step_in_the_next(study):
    method, rounds = study
    networks = [result.trial.architecture for result in method.trace(flat(rounds))]
    assert networks[0] == BASE
    for small, large in zip(networks, networks[1:]):
        assert large.resolution >= small.resolution
        for narrow, wide in zip(small.stages, large.stages, strict=True):
            assert wide == replace(narrow, channels=wide.channels, repeats=wide.repeats)
            assert wide.channels >= narrow.channels and wide.repeats >= narrow.repeats


def test_every_candidate_spends_the_macs_of_its_step(study):
    _, rounds = study
    base_macs = total_cost(BASE, CLASSES).macs
    for result in flat(rounds):
        macs = total_cost(result.trial.architecture, CLASSES).macs
        assert result.trial.notes["c"] == pytest.approx(macs / base_macs, abs=1e-6)
        if step := result.trial.notes.get("step"):
            assert macs == pytest.approx(base_macs * 2.5 ** (step / 4), rel=0.05)


def test_what_has_no_candidate_is_named(study):
    method, rounds = study
    found = {str(result.trial.notes.get("stage")) + result.trial.notes["dimension"] for result in rounds[0][3:]}
    assert method.exhausted(1, BASE) == ["depth of stage 0"] and "0depth" not in found
    assert len(found) == 14


def test_the_found_network_meets_the_uniformly_scaled_one_at_equal_macs_with_new_seeds(study):
    method, rounds = study
    finals = [result.trial for result in rounds[-1]]
    assert [(trial.notes["rule"], trial.seed) for trial in finals] == [
        (rule, seed) for rule in ("greedy", "uniform scaling") for seed in (2, 3, 4)
    ]
    found, uniform = finals[0].architecture, finals[3].architecture
    assert found == method.trace(flat(rounds))[-1].trial.architecture
    macs = total_cost(found, CLASSES).macs
    assert total_cost(uniform, CLASSES).macs == pytest.approx(macs, rel=0.03)
    repeats = [(wide.repeats, narrow.repeats) for wide, narrow in zip(uniform.stages, BASE.stages)]
    assert all(more > less for more, less in repeats)


def test_the_same_results_give_the_same_proposals(study):
    _, rounds = study
    again = run_rounds(greedy(), by_blocks_of_stage_4)
    assert again == rounds


def test_ties_are_within_the_noise_of_the_bases_seeds(study):
    method, rounds = study
    results = flat(rounds)
    tops = [result.top1 for result in rounds[0][:3]]
    assert method.noise(results) == pytest.approx(2 * 2**0.5 * stdev(tops)) == pytest.approx(0.0283, abs=1e-4)
    assert method.ties(results, 1) == []
    equal = [replace(result, top1=50 + 0.01 * result.trial.seed) for result in results]
    assert len(method.ties(equal, 1)) == len(rounds[0]) - 3 - 1


def test_failed_trainings_are_passed_over():
    method = greedy(steps=2, final_seeds=1)
    rounds = run_rounds(method, lambda trial: None if trial.notes.get("stage") == 4 else by_blocks_of_stage_4(trial))
    assert all(result.trial.notes["stage"] != 4 for result in method.trace(flat(rounds))[1:] if result.is_done)
    assert [len(results) for results in rounds][-1] == 2


def test_a_step_whose_trainings_all_fail_ends_the_search(caplog):
    method = greedy()
    rounds = run_rounds(method, lambda trial: None if trial.notes.get("step") == 2 else 60.0)
    assert "step 2: no training of a candidate was finished" in caplog.text
    assert [results[-1].trial.group for results in rounds] == ["step 1", "step 2", "final"]
    assert len(method.trace(flat(rounds))) == 2


def test_a_later_step_without_candidates_ends_the_search(caplog, monkeypatch):
    method = greedy()
    usual = method.step_trials
    monkeypatch.setattr(method, "step_trials", lambda step, network: [] if step == 2 else usual(step, network))
    rounds = run_rounds(method, by_blocks_of_stage_4)
    assert "step 2 has no candidate" in caplog.text and "the search ends here" in caplog.text
    assert [results[-1].trial.group for results in rounds] == ["step 1", "final"]


def test_a_first_step_without_candidates_is_one_line():
    with pytest.raises(UserError, match=r"^step 1 has no candidate: tinynet_e has 5.013 M MACs, .* raise tolerance"):
        greedy(target=1.001, tolerance=0.0001)


def test_a_running_study_has_the_trace_of_its_ended_steps(study):
    method, rounds = study
    half = rounds[0] + rounds[1][:5]
    assert [result.trial.notes.get("step") for result in method.trace(half)] == [None, 1]
    assert method.trace([]) == [] and method.noise([]) == 0 and method.ties([], 1) == []


@pytest.mark.parametrize("name", ["ghostnet_050", "s_ghostnet_b1"])
def test_ghostnets_grow(name):
    method = greedy(ARCHITECTURES[name].at(64), target=1.5, steps=1, final_seeds=1)
    finals = run_rounds(method, lambda trial: 50 + trial.architecture.stages[1].channels / 10)[-1]
    found, uniform = (result.trial.architecture for result in finals)
    assert found.stages[1].channels > method.base.stages[1].channels and found.family == uniform.family


def test_the_highest_seed_of_a_study_leads_to_seeds_that_train_py_takes():
    highest = 2**31 - 1
    rounds = run_rounds(greedy(steps=1, seed=highest), lambda trial: 60.0)
    assert {result.trial.seed for result in flat(rounds)} == {highest, 0, 1, 2}


def test_no_final_comparison_is_wanted():
    rounds = run_rounds(greedy(steps=1, final_seeds=0), by_blocks_of_stage_4)
    assert len(rounds) == 1 and [result.trial.group for result in rounds[0]].count("base") == 1

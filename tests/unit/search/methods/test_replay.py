"""A study that was killed replays its method from the results on disk: what was read there is what was proposed."""

import json

import pytest
from support.fake_study import CLASSES, run_rounds

from src.config import BaselineConfig, CompoundConfig, CostConfig, GreedyConfig
from src.design.architecture_file import save_architecture
from src.design.families import ARCHITECTURES
from src.search.cost_report import show_cost
from src.search.methods.baseline import Baseline
from src.search.methods.compound import CompoundSearch
from src.search.methods.greedy import Greedy
from src.search.study.records import from_record, to_record

METHODS = {
    "greedy": lambda base: Greedy(GreedyConfig(steps=2, target=1.6), base, CLASSES),
    "compound": lambda base: CompoundSearch(CompoundConfig(), base, CLASSES),
    "baseline": lambda base: Baseline(BaselineConfig(population=6, generations=3), base, CLASSES),
}


def score(trial):
    """Return an accuracy that depends on the whole network, with some failures."""
    number = sum(stage.channels * stage.repeats for stage in trial.architecture.stages) + trial.architecture.resolution
    return None if number % 7 == 0 else 50 + number % 41


@pytest.mark.parametrize("base", ["tinynet_e", "ghostnet_050"])
@pytest.mark.parametrize("method", METHODS)
def test_results_from_the_disk_give_the_same_proposals(method, base):
    network = ARCHITECTURES[base].at(48)
    rounds = run_rounds(METHODS[method](network), score)
    results = [result for results in rounds for result in results]
    read = [from_record(json.loads(json.dumps(to_record(result))), "line") for result in results]
    assert read == results
    proposals = METHODS[method](network).rounds()
    trials = next(proposals)
    for previous in rounds[:-1]:
        assert trials == [result.trial for result in previous]
        trials = proposals.send([read[result.number - 1] for result in previous])
    assert trials == [result.trial for result in rounds[-1]]


def test_the_noted_macs_are_those_that_search_py_cost_prints(tmp_path, capsys):
    base = ARCHITECTURES["tinynet_e"].at(48)
    files = []
    trials = METHODS["greedy"](base).step_trials(1, base)
    for number, network in enumerate([base, *(trial.architecture for trial in trials)]):
        files.append(str(tmp_path / f"{number}.yaml"))
        save_architecture(network, files[-1])
    show_cost(CostConfig(models=tuple(files), num_classes=CLASSES, json=True))
    whole, *macs = (json.loads(line)["macs"] for line in capsys.readouterr().out.splitlines())
    assert [trial.notes["c"] for trial in trials] == pytest.approx([each / whole for each in macs], abs=1e-6)

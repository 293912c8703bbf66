"""The shipped studies in `config/search/`: each can be started, and its header states its command and its trials."""

import re

import pytest
from support.project import PROJECT

from src.cli import parse
from src.config import BaselineConfig, CompoundConfig, GreedyConfig, TrainConfig, TwistConfig
from src.design.architecture_file import load_architecture
from src.design.cost import total_cost
from src.design.families import EFFICIENTNET_B0, find_architecture
from src.design.scaling import tiny_scale
from src.search.methods.baseline import Baseline
from src.search.methods.compound import CompoundSearch
from src.search.methods.greedy import Greedy
from src.search.methods.twist import Twist

FOLDER = PROJECT / "config" / "search"
METHODS = {
    "twist": (TwistConfig, Twist),
    "greedy": (GreedyConfig, Greedy),
    "compound": (CompoundConfig, CompoundSearch),
    "baseline": (BaselineConfig, Baseline),
}
CLASSES = {"scenes": 10, "imagenet100": 100}
STUDIES = sorted(file for file in FOLDER.glob("*_*.yaml") if file.stem.partition("_")[0] in METHODS)
RECIPES = [FOLDER / "imagenet100.yaml", FOLDER / "proxy.yaml"]


def study_of(file):
    """Return the configuration of a study, and its method."""
    command, _, data = file.stem.partition("_")
    schema, method = METHODS[command]
    config = parse(schema, ["--config", str(file)])
    base = find_architecture(config.model)
    return config, method(config, base.at(config.input_size) if config.input_size else base, CLASSES[data])


@pytest.mark.parametrize("file", STUDIES, ids=lambda file: file.stem)
def test_a_study_states_its_command_and_its_trials(file):
    config, method = study_of(file)
    text = file.read_text(encoding="utf-8")
    assert f"#   python search.py {file.stem.partition('_')[0]} --config config/search/{file.name}" in text
    assert int(re.search(r"Trials: at most ([\d,]+)", text)[1].replace(",", "")) == method.expected_trials()
    assert f"{config.epochs} epochs" in text or not config.epochs
    assert config.recipe.is_file() and config.study.name == file.stem


def test_the_small_base_is_what_its_header_says():
    network, header = load_architecture(FOLDER / "small.yaml"), (FOLDER / "small.yaml").read_text(encoding="utf-8")
    assert network == tiny_scale(EFFICIENTNET_B0.at(48), 1, width=0.325, depth=0.6, name="small")
    assert f"{total_cost(network, 10).macs / 1e6:.1f} M MACs with 10 classes" in header


@pytest.mark.parametrize("file", RECIPES, ids=lambda file: file.stem)
def test_a_recipe_of_trials_scores_raw_weights_with_pinned_workers(file):
    recipe = parse(TrainConfig, ["--config", str(file)])
    assert recipe.ema_decay == 0 and recipe.workers > 0

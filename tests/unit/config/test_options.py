"""Every option says in which group of `--help` it is, whatever schema inherits it."""

import subprocess
import sys

from support.project import PROJECT

from src.config import EvalConfig, RunOptions, TrainConfig


def test_groups_are_listed_from_the_network_to_the_run():
    groups = list(dict.fromkeys(TrainConfig.group_titles.values()))
    assert groups[:5] == ["Model", "Program", "Device", "Images", "Batches"]
    assert groups[-2:] == ["Recipe", "Run"]


def test_an_inherited_option_stays_in_its_group():
    assert TrainConfig.group_titles["seed"] == RunOptions.group_titles["seed"] == "Run"
    assert EvalConfig.group_titles["as_json"] == "Output"
    assert EvalConfig.group_titles["batch_size"] == "Batches"


def test_importing_the_schema_needs_no_framework():
    code = "import sys; import src.config; sys.exit('mindspore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=PROJECT).returncode == 0

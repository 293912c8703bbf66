"""Compute the cost of networks, find one for a budget, compare two or list all; search by many trainings.

python search.py cost tinynet_c
python search.py formula --macs 100M --output tiny_100m.yaml
python search.py compare tinynet_c ghostnet_050
python search.py table
python search.py greedy --config config/search/greedy_scenes.yaml

Needs MindSpore for trainings and latencies only.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # which is missing with PYTHONSAFEPATH=1

from src.cli import Command, run_commands
from src.config import (
    BaselineConfig,
    CompareConfig,
    CompoundConfig,
    CostConfig,
    FormulaConfig,
    GreedyConfig,
    ReportConfig,
    TableConfig,
    TwistConfig,
)
from src.config.imagenet100 import Imagenet100Config
from src.search.comparison import compare_networks
from src.search.cost_report import show_cost
from src.search.imagenet100 import make_imagenet100
from src.search.models_table import show_models
from src.search.network_for_budget import find_network
from src.search.report.write import write_reports
from src.search.studies import baseline, compound, greedy, twist

COMMANDS: dict[str, Command] = {
    "cost": (CostConfig, show_cost),
    "formula": (FormulaConfig, find_network),
    "compare": (CompareConfig, compare_networks),
    "table": (TableConfig, show_models),
    "imagenet100": (Imagenet100Config, make_imagenet100),
    "twist": (TwistConfig, twist),
    "greedy": (GreedyConfig, greedy),
    "compound": (CompoundConfig, compound),
    "baseline": (BaselineConfig, baseline),
    "report": (ReportConfig, write_reports),
}

if __name__ == "__main__":
    sys.exit(run_commands(COMMANDS, __doc__))

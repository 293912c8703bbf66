"""Compute the cost of networks, find a network for a budget, compare two networks or list all. Needs no MindSpore.

python search.py cost tinynet_c
python search.py formula --macs 100M --output tiny_100m.yaml
python search.py compare tinynet_c ghostnet_050
python search.py table
"""

import sys

from src.cli import run_commands
from src.config import CompareConfig, CostConfig, FormulaConfig, TableConfig
from src.search.commands import compare, cost, formula, published

COMMANDS = {
    "cost": (CostConfig, cost),
    "formula": (FormulaConfig, formula),
    "compare": (CompareConfig, compare),
    "table": (TableConfig, published),
}

if __name__ == "__main__":
    sys.exit(run_commands(COMMANDS, __doc__))

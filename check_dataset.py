"""Check a data set as training would, and name every bad file.

python check_dataset.py --data_path /data/imagenet --check_data full
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # which is missing with PYTHONSAFEPATH=1

from src.cli import run
from src.config import CheckConfig


def check(config: CheckConfig) -> None:
    """Print the size of the data set, or its bad files."""
    from src.images.check import check_dataset

    check_dataset(config)


if __name__ == "__main__":
    sys.exit(run(CheckConfig, check, __doc__))

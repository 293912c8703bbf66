"""Train a network on a folder of images.

python train.py --config config/tinynet_c.yaml --data_path /data/imagenet
python train.py --config config/digits.yaml              # embedded data, a few minutes on a CPU
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # which is missing with PYTHONSAFEPATH=1

from src.cli import run
from src.config import TrainConfig


def train(config: TrainConfig) -> None:
    """Run the training that `config` describes."""
    from src.classification.task import ClassificationTask  # imported late, so that --help and mistakes answer at once
    from src.training.run import build_run

    build_run(config, ClassificationTask).fit()


if __name__ == "__main__":
    sys.exit(run(TrainConfig, train, __doc__))

"""Train a network on a folder of images.

python train.py --config config/tinynet_c.yaml --data_path /data/imagenet
python train.py --config config/digits.yaml              # embedded data, a few minutes on a CPU
"""

import sys

from src.cli import run
from src.config import TrainConfig


def train(config: TrainConfig) -> None:
    """Run the training that `config` describes."""
    from src.training.trainer import Trainer  # here, so that --help and mistakes answer at once

    Trainer(config).fit()


if __name__ == "__main__":
    sys.exit(run(TrainConfig, train, __doc__))

"""train.py whose tinynet_e has few blocks, in which a run compiles sooner; tests put it in train.py's place."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent / "tests"))

from support.small_network import SMALL  # noqa: E402

from src.cli import run  # noqa: E402
from src.config import TrainConfig  # noqa: E402
from src.design.families import TINYNETS  # noqa: E402
from src.training.trainer import Trainer  # noqa: E402

TINYNETS["tinynet_e"] = SMALL

if __name__ == "__main__":
    sys.exit(run(TrainConfig, lambda config: Trainer(config).fit(), __doc__))

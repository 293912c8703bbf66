"""Start a distributed training: `python -m src.launch`, called by scripts/run_distribute_train.sh."""

import sys

from src.launch.launcher import main

sys.exit(main(sys.argv[1:]))

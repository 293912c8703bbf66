#!/usr/bin/env bash
# Train on many devices of one machine or of several.
#   bash scripts/run_distribute_train.sh [WORKERS|RANK_TABLE.json] [DATA_PATH] [CONFIG] [RESUME] [--FLAG VALUE ...]
# WORKERS    processes on this machine, one a device; default every NPU that is found, else 2 on the CPU
# DATA_PATH  folder with train/ and val/, default the embedded digits
# CONFIG     default config/digits.yaml for the digits, else config/tinynet_c.yaml
# RESUME     auto, or a checkpoint to go on from
# Several machines: the same command on each, with --nodes N --node_rank I --master_addr ADDRESS_OF_MACHINE_0.
# Other flags go to train.py (--run_dir, --epochs, ...). `""` stands for a default.
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

python="$(project_python)"
PYTHONPATH="$PROJECT${PYTHONPATH:+:$PYTHONPATH}" exec "$python" -m src.launch "$@"

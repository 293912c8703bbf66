#!/usr/bin/env bash
# Train on many devices of one machine or of several: a detector if the configuration has the key `detector`.
#   bash scripts/run_distribute_train.sh [WORKERS|RANK_TABLE.json] [DATA_PATH] [CONFIG] [RESUME] [--FLAG VALUE ...]
# WORKERS    workers on this machine, one per device; default: all NPUs, or 2 on the CPU if there are none
# DATA_PATH  folder with train/ and val/, or of a detector in COCO's layout; default: the handwritten digits
# CONFIG     default: config/digits.yaml for the digits, config/tinynet_c.yaml for other data
# RESUME     auto, or a checkpoint to resume from
# Several machines: run the same command on each, with --nodes N --node_rank I --master_addr ADDRESS_OF_MACHINE_0.
# Other flags go to train.py (--run_dir, --epochs, ...). An empty argument, "", means its default; but an empty
# DATA_PATH is refused.
# shellcheck source=scripts/common.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh" || exit 2

python="$(project_python)"
exec "$python" -m src.launch "$@"

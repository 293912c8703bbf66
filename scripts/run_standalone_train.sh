#!/usr/bin/env bash
# Train on one device.
#   bash scripts/run_standalone_train.sh [DATA_PATH] [CONFIG] [RESUME]
# DATA_PATH  folder with train/ and val/; default: the handwritten digits
# CONFIG     default: config/digits.yaml for the digits, config/tinynet_c.yaml for other data
# RESUME     a checkpoint to resume from
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
[ $# -le 3 ] || fail "usage: run_standalone_train.sh [DATA_PATH] [CONFIG] [RESUME]; got $# arguments"

data="$(absolute "${1:-digits}")"
if [ "$data" = digits ]; then config=digits; else config=tinynet_c; fi
arguments=(--data_path "$data" --config "$(absolute "${2:-$PROJECT/config/$config.yaml}")")
[ $# -lt 3 ] || arguments+=(--resume "$(absolute "$3")")
python="$(project_python)"
exec "$python" "$PROJECT/train.py" "${arguments[@]}"

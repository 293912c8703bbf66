#!/usr/bin/env bash
# Train on one device.
#   bash scripts/run_standalone_train.sh [DATA_PATH] [CONFIG] [RESUME]
# DATA_PATH  folder with train/ and val/, default the embedded digits
# CONFIG     default config/digits.yaml for the digits, else config/tinynet_c.yaml
# RESUME     a checkpoint to go on from
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
[ $# -le 3 ] || fail "usage: run_standalone_train.sh [DATA_PATH] [CONFIG] [RESUME]; got $# arguments"

data="$(absolute "${1:-digits}")"
config="$PROJECT/config/tinynet_c.yaml"
[ "$data" != digits ] || config="$PROJECT/config/digits.yaml"
arguments=(--data_path "$data" --config "$(absolute "${2:-$config}")")
[ $# -lt 3 ] || arguments+=(--resume "$(absolute "$3")")
python="$(project_python)"
exec "$python" "$PROJECT/train.py" "${arguments[@]}"

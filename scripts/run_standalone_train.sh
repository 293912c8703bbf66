#!/usr/bin/env bash
# Train on one device: a classifier, or a detector if the configuration has the key `detector`.
#   bash scripts/run_standalone_train.sh [DATA_PATH] [CONFIG] [RESUME]
# DATA_PATH  folder with train/ and val/, or of a detector in COCO's layout; default: the handwritten digits
# CONFIG     default: config/digits.yaml for the digits, config/tinynet_c.yaml for other data
# RESUME     a checkpoint to resume from
# An empty argument, "", means its default; but an empty DATA_PATH is refused.
# shellcheck source=scripts/common.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh" || exit 2
check_arguments 3 "[DATA_PATH] [CONFIG] [RESUME]" "$@"

data="$(data_path "${@:1:1}")"
python="$(project_python)"
config="$(absolute "${2:-}")"
resume="$(absolute "${3:-}")"
exec "$python" -m src.launch.standalone "$data" "$config" "$resume"

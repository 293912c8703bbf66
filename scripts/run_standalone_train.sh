#!/usr/bin/env bash
# Train on one device.
#   bash scripts/run_standalone_train.sh [DATA_PATH] [CONFIG] [RESUME]
# DATA_PATH  folder with train/ and val/; default: the handwritten digits
# CONFIG     default: config/digits.yaml for the digits, config/tinynet_c.yaml for other data
# RESUME     a checkpoint to resume from
# An empty argument, "", means its default; but an empty DATA_PATH is refused.
# shellcheck source=scripts/common.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh" || exit 2
[ $# -le 3 ] || fail "usage: run_standalone_train.sh [DATA_PATH] [CONFIG] [RESUME]; got $# arguments"

data="$(data_path "${@:1:1}")"
python="$(project_python)"
default="import sys; from src.config.defaults import default_config; print(default_config(sys.argv[1]))"
config="${2:-$("$python" -c "$default" "$data")}"
arguments=(--data_path "$data" --config "$(absolute "$config")")
[ -z "${3:-}" ] || arguments+=(--resume "$(absolute "$3")")
exec "$python" "$PROJECT/train.py" "${arguments[@]}"

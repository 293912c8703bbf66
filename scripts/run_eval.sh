#!/usr/bin/env bash
# Score a checkpoint on validation images.
#   bash scripts/run_eval.sh [DATA_PATH] [CKPT] [CONFIG]
# DATA_PATH  folder with val/, default the embedded digits
# CKPT       default that of scripts/quickstart.sh
# CONFIG     names the model of weights that do not say what they are, such as config/tinynet_c.yaml
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
[ $# -le 3 ] || fail "usage: run_eval.sh [DATA_PATH] [CKPT] [CONFIG]; got $# arguments"

arguments=(--data_path "$(absolute "${1:-digits}")")
arguments+=(--ckpt "$(absolute "${2:-$PROJECT/runs/quickstart/checkpoints/best.ckpt}")")
[ $# -lt 3 ] || arguments+=(--config "$(absolute "$3")")
python="$(project_python)"
exec "$python" "$PROJECT/eval.py" "${arguments[@]}"

#!/usr/bin/env bash
# Score a checkpoint on validation images.
#   bash scripts/run_eval.sh [DATA_PATH] [CKPT] [CONFIG]
# DATA_PATH  folder with val/; default: the handwritten digits
# CKPT       default: the best checkpoint of scripts/quickstart.sh
# CONFIG     names the model of weights that do not store its name, such as config/tinynet_c.yaml
# shellcheck source=scripts/common.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh" || exit 2
[ $# -le 3 ] || fail "usage: run_eval.sh [DATA_PATH] [CKPT] [CONFIG]; got $# arguments"

ckpt="${2:-$(quickstart_checkpoint)}"
arguments=(--data_path "$(absolute "${1:-digits}")" --ckpt "$(absolute "$ckpt")")
[ $# -lt 3 ] || arguments+=(--config "$(absolute "$3")")
python="$(project_python)"
exec "$python" "$PROJECT/eval.py" "${arguments[@]}"

#!/usr/bin/env bash
# Score a checkpoint on validation images.
#   bash scripts/run_eval.sh [DATA_PATH] [CKPT] [CONFIG]
# DATA_PATH  folder with val/; default: the handwritten digits
# CKPT       default: the best checkpoint of scripts/quickstart.sh
# CONFIG     names the model of weights that do not store its name, such as config/tinynet_c.yaml
# An empty argument, "", means its default; but an empty DATA_PATH is refused.
# shellcheck source=scripts/common.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh" || exit 2
check_arguments 3 "[DATA_PATH] [CKPT] [CONFIG]" "$@"

data="$(data_path "${@:1:1}")"
ckpt="${2:-$(quickstart_checkpoint)}"
arguments=(--data_path "$data" --ckpt "$(absolute "$ckpt")")
[ -z "${3:-}" ] || arguments+=(--config "$(absolute "$3")")
python="$(project_python)"
exec "$python" "$PROJECT/eval.py" "${arguments[@]}"

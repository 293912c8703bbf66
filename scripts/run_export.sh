#!/usr/bin/env bash
# Export a checkpoint for inference, each format verified against the network.
#   bash scripts/run_export.sh [CKPT] [FILE_NAME] [FORMAT ...]
# CKPT       default that of scripts/quickstart.sh
# FILE_NAME  where to write, without suffix; default beside the checkpoint, under its name
# FORMAT     MINDIR, ONNX, AIR, ...; default MINDIR and ONNX. The batch is left open; an AIR file takes one image.
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

ckpt="${1:-$(quickstart_checkpoint)}"
base="${2:-${ckpt%.*}}"
formats=("${@:3}")
[ ${#formats[@]} -gt 0 ] || formats=(MINDIR ONNX)
python="$(project_python)"
for format in "${formats[@]}"; do
  batch=0
  [ "$format" != AIR ] || batch=1
  "$python" "$PROJECT/export.py" --ckpt "$ckpt" --file_name "$base" --file_format "$format" --batch_size "$batch"
done

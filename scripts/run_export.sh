#!/usr/bin/env bash
# Export a checkpoint, of a classifier or of a detector, for inference. Each file is compared with the network before it is kept.
#   bash scripts/run_export.sh [CKPT] [FILE_NAME] [FORMAT ...]
# CKPT       default: the best checkpoint of scripts/quickstart.sh
# FILE_NAME  path to write, without suffix; default: the checkpoint's path
# FORMAT     MINDIR, ONNX, AIR, ...; default: MINDIR and ONNX. They take any batch size; an AIR file takes one image.
# shellcheck source=scripts/common.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh" || exit 2
check_arguments 99 "[CKPT] [FILE_NAME] [FORMAT ...]" "$@"

ckpt="${1:-$(quickstart_checkpoint)}"
base="${2:-${ckpt%.*}}"
formats=("${@:3}")
[ ${#formats[@]} -gt 0 ] || formats=(MINDIR ONNX)
python="$(project_python)"
program=("$PROJECT/export.py")
! is_detector "$ckpt" || program=("$PROJECT/detect.py" export)
for format in "${formats[@]}"; do
  batch=0
  [ "$format" != AIR ] || batch=1
  "$python" "${program[@]}" --ckpt "$ckpt" --file_name "$base" --file_format "$format" --batch_size "$batch"
done

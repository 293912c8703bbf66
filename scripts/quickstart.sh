#!/usr/bin/env bash
# Install, write the data set, train, evaluate, export and predict: all of it on the handwritten digits, in minutes.
#   bash scripts/quickstart.sh
# Results are kept in runs/quickstart. A second start reuses them; after an interruption it resumes.
# shellcheck source=scripts/common.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh" || exit 2

ensure_environment demo
cd "$PROJECT"
python="$VENV/bin/python"
run="$QUICKSTART_RUN"
best="$run/checkpoints/best.ckpt"
export="$QUICKSTART_EXPORT"

"$python" train.py --config config/digits.yaml --run_dir "$run" --resume auto
"$python" eval.py --ckpt "$best" --data_path digits --json | tail -n 1 >"$run/eval.json"
for format in MINDIR ONNX; do
  file="$export.$(echo "$format" | tr '[:upper:]' '[:lower:]')"
  if [ ! "$file" -nt "$best" ]; then
    "$python" export.py --ckpt "$best" --file_format "$format" --batch_size 0 --file_name "$export" \
      --images data/digits/val/3_three
  fi
done
"$python" predict.py --ckpt "$best" data/digits/val --sheet "$run/predictions.png" >"$run/predictions.txt"
"$python" scripts/quickstart_summary.py "$run" "$export"

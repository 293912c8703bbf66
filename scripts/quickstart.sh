#!/usr/bin/env bash
# The whole chain on the embedded digits: environment, data, training, evaluation, export, prediction.
#   bash scripts/quickstart.sh
# Results are kept in runs/quickstart; a second start goes on with what is there.
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

ensure_environment demo
cd "$PROJECT"
python="$VENV/bin/python"
run=runs/quickstart
best="$run/checkpoints/best.ckpt"
base="$run/tinynet_e_digits"

"$python" train.py --config config/digits.yaml --run_dir "$run" --resume auto
"$python" eval.py --ckpt "$best" --data_path digits --json | tail -n 1 >"$run/eval.json"
for format in MINDIR ONNX; do
  file="$base.$(echo "$format" | tr '[:upper:]' '[:lower:]')"
  if [ ! "$file" -nt "$best" ]; then
    "$python" export.py --ckpt "$best" --file_format "$format" --batch_size 0 --file_name "$base" --images data/digits/val/3_three
  fi
done
"$python" predict.py --ckpt "$best" data/digits/val --sheet "$run/predictions.png" >"$run/predictions.txt"

"$python" - "$run" "$base" <<'PYTHON'
import csv, json, sys
from pathlib import Path

run, base = Path(sys.argv[1]), sys.argv[2]
score = json.loads((run / "eval.json").read_text())
epochs = list(csv.DictReader(open(run / "metrics.csv")))
seconds = sum(float(row["seconds"]) for row in epochs)
best = max(float(row["images_per_second"]) for row in epochs)
print(f"""
TinyNet-E on handwritten digits
  accuracy     {score["top1"]:.2f} % top-1 on {score["images"]} images that training never saw
  training     {len(epochs)} epochs in {seconds:.0f} s (without compilation), up to {best:.0f} images/s""")
for suffix in (".mindir", ".onnx"):
    file = Path(base + suffix)
    found = json.loads(file.with_suffix(".json").read_text())["files"][file.name]
    size, off = file.stat().st_size / 1e6, found["largest_difference"]
    print(f"  {suffix[1:].upper():<12} {size:.2f} MB, logits {f'within {off:.0e}' if off else 'identical'}: {file}")
print(f"""  weights      {run / "checkpoints" / "best.ckpt"}
  pictures     {run / "curves.png"}, {run / "predictions.png"}
  next         python predict.py --ckpt {run / "checkpoints" / "best.ckpt"} IMAGE   (after: source .venv/bin/activate)
""")
PYTHON

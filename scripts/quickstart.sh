#!/usr/bin/env bash
# Install, write the data set, train, evaluate, export and predict: all of it on the handwritten digits, in minutes.
#   bash scripts/quickstart.sh                            a classifier
#   bash scripts/quickstart.sh detect [--FLAG VALUE ...]  a detector, which starts from it; the C++ program runs it too
# Results are kept in runs/quickstart and runs/quickstart_detect. A second start reuses them; after an interruption it
# resumes. Flags go to `detect.py train`.
# shellcheck source=scripts/common.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh" || exit 2
usage="[detect [--FLAG VALUE ...]]"
check_arguments 1 "$usage" "${@:1:1}"
[ $# = 0 ] || [ "$1" = detect ] || fail "usage: quickstart.sh $usage; got $1"

ensure_environment demo
cd "$PROJECT"
python="$VENV/bin/python"
classifier="$QUICKSTART_RUN/checkpoints/best.ckpt"

export_files() { # export_files CKPT FILE IMAGES COMMAND...: FILE.mindir and FILE.onnx, if they are older than CKPT
  local ckpt="$1" file="$2" images="$3" format suffix
  shift 3
  for format in MINDIR ONNX; do
    suffix="$(echo "$format" | tr '[:upper:]' '[:lower:]')"
    if [ ! "$file.$suffix" -nt "$ckpt" ]; then
      "$python" "$@" --ckpt "$ckpt" --file_format "$format" --batch_size 0 --file_name "$file" --images "$images"
    fi
  done
}

train_classifier() {
  "$python" train.py --config config/digits.yaml --run_dir "$QUICKSTART_RUN" --resume auto
}

classify() {
  local run="$QUICKSTART_RUN"
  train_classifier
  "$python" eval.py --ckpt "$classifier" --data_path digits --json | tail -n 1 >"$run/eval.json"
  export_files "$classifier" "$QUICKSTART_EXPORT" data/digits/val/3_three export.py
  "$python" predict.py --ckpt "$classifier" data/digits/val --sheet "$run/predictions.png" >"$run/predictions.txt"
  "$python" scripts/quickstart_summary.py "$run" "$QUICKSTART_EXPORT"
}

detect() { # detect [--FLAG VALUE ...]
  local run="$QUICKSTART_DETECT_RUN" images=data/digit_scenes/val program
  local best="$run/checkpoints/best.ckpt" export="$run/ssdlite_digits"
  [ -f "$classifier" ] || train_classifier
  "$python" detect.py train --config config/ssdlite_digits.yaml --ckpt "$classifier" --run_dir "$run" --resume auto "$@"
  "$python" detect.py eval --ckpt "$best" --data_path digits --json | tail -n 1 >"$run/eval.json"
  export_files "$best" "$export" "$images" detect.py export
  "$python" detect.py predict --ckpt "$best" "$images" --sheet "$run/objects.png" >"$run/objects.txt"
  if program="$(bash ascend310_infer/build.sh)"; then
    run_program "$program" "$export.onnx" "$images" "$run/cpp"
  else
    echo "the C++ program was not built, see above; all else is done" >&2
  fi
  "$python" scripts/quickstart_summary.py "$run" "$export"
}

run_program() { # run_program PROGRAM MODEL IMAGES FOLDER: objects, pictures and AP, if they are older than MODEL
  local program="$1" model="$2" images="$3" folder="$4"
  if [ ! "$folder/score.json" -nt "$model" ]; then
    rm -rf "$folder"
    mkdir -p "$folder"
    "$program" "$images" --model_path "$model" --format json --output "$folder/objects.json" \
      --timing "$folder/timing.json" --draw "$folder/drawn"
    "$python" postprocess.py --results "$folder/objects.json" --data_path digits --description "${model%.onnx}.json" \
      --json | tail -n 1 >"$folder/score.json"
  fi
}

if [ $# = 0 ]; then
  classify
else
  detect "${@:2}"
fi

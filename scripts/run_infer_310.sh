#!/usr/bin/env bash
# Run the C++ program on images and score the results: on an NPU with MindSpore Lite, else on the CPU with ONNX.
#   bash scripts/run_infer_310.sh [MODEL] [DATA_PATH] [DEVICE_ID]
# MODEL      .mindir or .onnx file of export.py or detect.py export with its .json beside it; default: the export of
#            scripts/quickstart.sh. Without an NPU, FILE.mindir is replaced by FILE.onnx beside it.
# DATA_PATH  folder with CLASS/ or val/CLASS/; for a detector: a data set in COCO's layout, whose validation images are
#            run and scored, or a folder of images, which has no score; default: the handwritten digits or their scenes
# DEVICE_ID  number of the NPU; default: 0
# LITE_HOME  environment variable: an unpacked MindSpore Lite package. An NPU needs it, and CANN's set_env.sh sourced.
# An empty argument, "", means its default; but an empty DATA_PATH is refused.
# Results and timing are kept in a new folder of runs/infer_310.
# shellcheck source=scripts/common.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh" || exit 2
check_arguments 3 "[MODEL] [DATA_PATH] [DEVICE_ID]" "$@"

source="$PROJECT/ascend310_infer"
program="$source/build/tinynet_infer"
lite="${LITE_HOME:-${MS_LITE_HOME:-}}"

quickstart_model() { # print the default model, exported now if it is missing
  local ckpt base="$PROJECT/$QUICKSTART_EXPORT"
  if [ ! -f "$base.mindir" ] || [ ! -f "$base.onnx" ]; then
    ckpt="$(quickstart_checkpoint)" || exit
    bash "$PROJECT/scripts/run_export.sh" "$ckpt" "$base" >&2 || exit
  fi
  echo "$base.mindir"
}

image_folder() { # image_folder DATA_PATH: print the folder that holds the class folders
  if [ "$1" = digits ] || [ "$1" = scenes ]; then
    "$python" -c "from src.images.$1 import write_$1; print(write_$1() / 'val')"
  elif [ -d "$1/val" ]; then
    echo "$1/val"
  elif [ -d "$1" ]; then
    echo "$1"
  else
    fail "DATA_PATH is $1: there is no such folder; expected DIR/CLASS/ or DIR/val/CLASS/ with images, 'digits' or 'scenes'"
  fi
}

why_no_npu() { # print why no NPU can be used; print nothing if one can
  if ! compgen -G '/dev/davinci[0-9]*' >/dev/null && ! npu-smi info >/dev/null 2>&1; then
    echo "no NPU found"
  elif [ -z "$lite" ]; then
    echo "LITE_HOME is not set, so MindSpore Lite was not found"
  fi
}

is_current() { # true if the program is newer than its sources and was built with this LITE_HOME
  [ -x "$program" ] || return 1
  local names=(-name '*.cc' -o -name '*.h' -o -name CMakeLists.txt -o -name '*.cmake')
  local others=(-name build -o -name tests -o -name fuzz) newer
  newer="$(find "$source" \( "${others[@]}" \) -prune -o -newer "$program" \( "${names[@]}" \) -print -quit)"
  [ -z "$newer" ] || return 1
  [ -z "$lite" ] || grep -qxF "LITE_HOME:PATH=$lite" "$source/build/CMakeCache.txt"
}

python="$(project_python pydantic)" # scoring does not use MindSpore
model="${1:-$(quickstart_model)}"
case "$model" in
  *.mindir | *.onnx) ;;
  *) fail "MODEL is $model; expected a .mindir or .onnx file; scripts/run_export.sh writes them" ;;
esac
[ -f "$model" ] || fail "there is no model $model; scripts/run_export.sh writes one from a checkpoint"
data="$(data_path "${@:2:1}")"
if is_detector "${model%.*}.json"; then
  images="$("$python" "$PROJECT/scripts/validation_images.py" "$data")"
  truth="${images:+$data}"
  images="${images:-$data}"
else
  images="$(image_folder "$data")"
  truth="$images"
fi

device=CPU
if [[ "$model" = *.mindir ]]; then
  reason="$(why_no_npu)"
  if [ -z "$reason" ]; then
    device=Ascend
  else
    model="${model%.mindir}.onnx"
    echo "$reason: running $model on the CPU" >&2
    [ -f "$model" ] || fail "there is no $model; write it with scripts/run_export.sh CKPT ${model%.onnx} ONNX"
  fi
fi

is_current || bash "$source/build.sh" >/dev/null
mkdir -p "$PROJECT/runs/infer_310"
output="$(mktemp -d "$PROJECT/runs/infer_310/$(date +%Y%m%d-%H%M%S)-XXX")"
chmod "$(printf '%o' $((0777 & ~$(umask))))" "$output" # mktemp lets nobody else in, whatever the umask
"$program" "$images" --model_path "$model" --device_type "$device" --device_id "${3:-0}" \
  --format json --output "$output/results.json" --timing "$output/timing.json"
if [ -z "$truth" ]; then
  echo "$data holds no annotations, so there is no AP" >&2
else
  "$python" "$PROJECT/postprocess.py" --results "$output/results.json" --data_path "$truth" \
    --description "${model%.*}.json"
fi
echo "results and timing: $output"

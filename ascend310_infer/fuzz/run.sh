#!/usr/bin/env bash
# Build the fuzz target for the image decoders and run it for some time.
#   bash ascend310_infer/fuzz/run.sh [SECONDS]   (default 60)
# Starts from fuzz/corpus; new inputs, the log and crashing inputs go to build/fuzz.
# Status: 0 nothing found, 1 an input that crashes (its file is named), 2 no Clang or a wrong argument.
# shellcheck source=scripts/common.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../../scripts/common.sh" || exit 2

seconds="${1:-60}"
[[ $# -le 1 && "$seconds" =~ ^[1-9][0-9]{0,5}$ ]] || fail "usage: run.sh [SECONDS]; got '$*'"
command -v clang++ >/dev/null || fail "the fuzz target needs clang++; on Debian: apt-get install clang libclang-rt-14-dev"

source="$PROJECT/ascend310_infer"
build="$source/build/fuzz"
mkdir -p "$build/corpus"
{
  cmake -S "$source" -B "$build" -DCMAKE_CXX_COMPILER=clang++ -DTINYNET_FUZZ=ON -DLITE_HOME= &&
    cmake --build "$build" --target fuzz_decode
} >"$build/build.log" 2>&1 || fail "the fuzz target was not built, see $build/build.log"

if ! "$build/fuzz_decode" -max_total_time="$seconds" -max_len=16384 -timeout=20 -rss_limit_mb=2048 \
  -artifact_prefix="$build/" "$build/corpus" "$source/fuzz/corpus" >"$build/run.log" 2>&1; then
  found=$(grep -o 'Test unit written to .*' "$build/run.log" || true)
  echo "error: the fuzz target failed: ${found:-no input was written}; see $build/run.log" >&2
  exit 1
fi
runs=$(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$build/run.log")
echo "${runs:-0} inputs in $seconds s, no failure"

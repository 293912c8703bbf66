#!/usr/bin/env bash
# Build the C++ program, by default as ascend310_infer/build/tinynet_infer. Prints its path.
#   bash ascend310_infer/build.sh [BUILD_FOLDER] [-DNAME=VALUE ...]   (CMakeLists.txt lists the options)
# LITE_HOME  (or MS_LITE_HOME) an unpacked MindSpore Lite package, for MINDIR files; default: ONNX files only
# Installs missing packages as root on Debian or Ubuntu; other users get their names.
# shellcheck source=scripts/common.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../scripts/common.sh" || exit 2

PACKAGES=(g++ cmake make libjpeg-dev libpng-dev nlohmann-json3-dev libcli11-dev libgtest-dev)

ensure_compiler() {
  local missing=() package
  for package in "${PACKAGES[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  if [ ${#missing[@]} = 0 ] || ! command -v apt-get >/dev/null; then return; fi # without apt, CMake names what is missing
  [ "$(id -u)" = 0 ] || fail "to build the C++ program, run as root: apt-get install ${missing[*]}"
  { apt-get update && apt-get install -y --no-install-recommends "${missing[@]}"; } >&2 || fail \
    "installing ${missing[*]} failed, see above"
}

source="$PROJECT/ascend310_infer"
build="$source/build"
if [ $# -gt 0 ] && [[ "$1" != -* ]]; then
  build="$1"
  shift
fi
ensure_compiler
cmake -S "$source" -B "$build" -DLITE_HOME="${LITE_HOME:-${MS_LITE_HOME:-}}" "$@" >&2
cmake --build "$build" --parallel "$(nproc)" >&2
echo "$build/tinynet_infer"

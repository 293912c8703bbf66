#!/usr/bin/env bash
# Check style and spelling, then run the tests, in the project's own environment.
#   bash scripts/run_tests.sh [--all] [-k NAME ...]
# --all  also runs the long tests (`-m long`) and the C++ fuzz target for 60 s
# Other arguments go to pytest. Checks run side by side and print only if they fail; the tests start after them.
# shellcheck source=scripts/common.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh" || exit 2

tests=(python -m pytest --numprocesses 2 --dist loadgroup --no-loadscope-reorder)
fuzz=(true)
if [ "${1:-}" = --all ]; then
  shift
  tests+=(-m "long or not long")
  fuzz=(bash ascend310_infer/fuzz/run.sh 60)
fi

ensure_environment test
cd "$PROJECT"
PATH="$VENV/bin:$PATH"
reports="$(mktemp -d)"
trap 'rm -rf "$reports"' EXIT
checks=()

check() { # check COMMAND ...: run it in the background; its output is kept in a file of its own
  "$@" <&0 >"$reports/${#checks[@]}" 2>&1 & # bash gives a background command no input unless it is named
  checks+=("$!:$*")
}

conclude() { # print the output of the checks that failed; end if there is one
  local status=0 number
  for number in "${!checks[@]}"; do
    if ! wait "${checks[number]%%:*}"; then
      cat "$reports/$number" >&2
      echo "error: '${checks[number]#*:}' failed, see above" >&2
      status=1
    fi
  done
  [ "$status" = 0 ] || exit "$status"
}

skipped=(\( -name build -o -name third_party \) -prune -o) # what others wrote, for find
check mypy # the longest checks begin first
check bash scripts/build_docs.sh
check ruff check .
check ruff format --check .
check codespell
check lint-imports
check xargs -0 clang-format --dry-run -Werror < \
  <(find ascend310_infer src/kernels tests/unit/kernels "${skipped[@]}" \
    \( -name '*.h' -o -name '*.cc' -o -name '*.cpp' \) -print0)
check xargs -0 shellcheck --external-sources .ci/run < \
  <(find scripts ascend310_infer "${skipped[@]}" -name '*.sh' -print0)
conclude

"${tests[@]}" "$@"
"${fuzz[@]}"

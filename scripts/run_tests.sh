#!/usr/bin/env bash
# Check style and spelling, then run the tests, in the project's own environment.
#   bash scripts/run_tests.sh [--all] [-k NAME ...]
# --all  also runs the long tests (`-m long`) and the C++ fuzz target for 60 s
# Other arguments go to pytest. A check prints its output only if it fails; all checks run before the tests start.
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

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
status=0

check() { # check COMMAND ...: run it quietly; if it fails, print its output and remember the failure
  local output
  if ! output="$("$@" 2>&1)"; then
    echo "$output" >&2
    echo "error: '$*' failed, see above" >&2
    status=1
  fi
}

skipped=(\( -name build -o -name third_party \) -prune -o) # what others wrote, for find
check ruff check .
check ruff format --check .
check codespell
check mypy
check lint-imports
check bash scripts/build_docs.sh
check xargs -0 clang-format --dry-run -Werror < \
  <(find ascend310_infer "${skipped[@]}" \( -name '*.h' -o -name '*.cc' \) -print0)
check xargs -0 shellcheck --external-sources .ci/run < \
  <(find scripts ascend310_infer "${skipped[@]}" -name '*.sh' -print0)
[ "$status" = 0 ] || exit "$status"

"${tests[@]}" "$@"
"${fuzz[@]}"

#!/usr/bin/env bash
# Style checks and all tests, in an environment of their own making. Arguments go to pytest.
#   bash scripts/run_tests.sh [-k NAME ...]
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

ensure_environment test
cd "$PROJECT"
"$VENV/bin/ruff" check .
"$VENV/bin/ruff" format --check .
"$VENV/bin/clang-format" --dry-run -Werror ascend310_infer/*/*.h ascend310_infer/*/*.cc
"$VENV/bin/shellcheck" --external-sources scripts/*.sh ascend310_infer/*.sh .ci/run
"$VENV/bin/python" -m pytest --numprocesses 2 --dist loadgroup --no-loadscope-reorder "$@"

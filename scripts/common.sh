# Shared by the launchers: where the project is, which Python runs it, how its environment is made. Sourced, not run.
# shellcheck shell=bash
set -euo pipefail

PROJECT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
VENV="$PROJECT/.venv"

fail() { echo "error: $*" >&2; exit 2; }

absolute() { # a path as seen from where the user started; words such as `digits` and `auto` stay as they are
  if [ -e "$1" ]; then echo "$(cd "$(dirname "$1")" && pwd)/$(basename "$1")"; else echo "$1"; fi
}

python_fits() { # MindSpore has wheels for Python 3.10 to 3.12
  "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null
}

find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3.11 python3.12 python3.10 python3 python \
    "$HOME"/.pyenv/versions/3.1[0-2]*/bin/python; do
    if [ -n "$candidate" ] && python_fits "$candidate"; then echo "$candidate"; return; fi
  done
  fail "no fitting Python found: MindSpore has wheels for Python 3.10, 3.11 and 3.12; install one (such as" \
    "'apt-get install python3 python3-venv') or name it: PYTHON=/path/to/python3.11"
}

make_venv() {
  local python
  python="$(find_python)"
  if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
      local version
      version="$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
      { apt-get update && apt-get install -y "python$version-venv"; } >&2
    else
      fail "$python cannot make virtual environments; run 'apt-get install python3-venv' as root, then start again"
    fi
  fi
  echo "making $VENV with $("$python" --version)" >&2
  "$python" -m venv "$VENV"
}

ensure_environment() { # ensure_environment EXTRA: .venv with the project's dependencies, made once
  local stamp="$VENV/.installed-$1"
  [ -x "$VENV/bin/python" ] || make_venv
  if ! cmp -s "$PROJECT/pyproject.toml" "$stamp"; then
    echo "installing the dependencies of '$1' (MindSpore is large: a few minutes the first time)" >&2
    (cd "$PROJECT" && "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check ".[$1]") || fail \
      "installing the dependencies failed, see above; is the Python package index reachable?"
    cp "$PROJECT/pyproject.toml" "$stamp"
  fi
}

project_python() { # project_python [MODULE]: this folder's environment, else the user's own with MODULE or MindSpore
  if [ -x "$VENV/bin/python" ]; then echo "$VENV/bin/python"; return; fi
  local candidate module="${1:-mindspore}"
  for candidate in "${PYTHON:-}" python3 python; do
    if [ -n "$candidate" ] && "$candidate" -c "import $module" >/dev/null 2>&1; then echo "$candidate"; return; fi
  done
  fail "Python has no module $module: run 'pip install .' in $PROJECT, or 'bash scripts/quickstart.sh' once"
}

quickstart_checkpoint() {
  local file="$PROJECT/runs/quickstart/checkpoints/best.ckpt"
  [ -f "$file" ] || fail "no checkpoint was named, and there is none of the quick start; run scripts/quickstart.sh first"
  echo "$file"
}

# Functions of the launchers: find the project and its Python, make its environment. Source this file, do not run it.
# shellcheck shell=bash
set -euo pipefail
# What a user exports from a shell must not change what is done here: SHELLOPTS, CDPATH, a function `cd` that prints.
set +o noclobber +o noglob +o posix
unset CDPATH
unset -f cd pwd dirname basename readlink

PROJECT="$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")"
export PYTHONPATH="$PROJECT${PYTHONPATH:+:$PYTHONPATH}"
VENV="$PROJECT/.venv"
# Of scripts/quickstart.sh, relative to the project: its run folders, and its exported files without suffix.
QUICKSTART_RUN=runs/quickstart
# shellcheck disable=SC2034 # quickstart.sh and run_infer_310.sh use them
{
  QUICKSTART_EXPORT="$QUICKSTART_RUN/tinynet_e_digits"
  QUICKSTART_DETECT_RUN=runs/quickstart_detect
}

fail() { echo "error: $*" >&2; exit 2; }

check_arguments() { # check_arguments MOST USAGE [ARGUMENT ...]: print the help if asked for; refuse flags, and too many
  local most="$1" usage word
  usage="usage: $(basename "$0") $2"
  shift 2
  for word; do
    case "$word" in
      -h | --help) sed -n '2,/^# shellcheck/{/^# shellcheck/d; s/^# \{0,1\}//p}' "$0"; exit ;;
      -*) fail "unknown flag '$word'; $usage" ;;
    esac
  done
  [ $# -le "$most" ] || fail "$usage; got $# arguments"
}

absolute() { # absolute PATH: its absolute path; words that are not files, such as `digits` or `auto`, are not changed
  if [ ! -e "$1" ]; then echo "$1"; return; fi
  local folder
  folder="$(cd -- "$(dirname -- "$1")" && pwd)"
  echo "${folder%/}/$(basename -- "$1")"
}

data_path() { # data_path [DATA_PATH]: its absolute path, by default `digits`; an empty one is a variable that is not set
  [ $# = 0 ] || [ -n "$1" ] || fail "DATA_PATH is empty (is a variable not set?);" \
    "name a folder, or write digits for the embedded handwritten digits"
  absolute "${1:-digits}"
}

is_detector() { # is_detector FILE: true if a checkpoint, or the JSON of an exported file, describes a detector
  LC_ALL=C grep -aq '"task": *"detection"' -- "$1" 2>/dev/null
}

python_fits() { # python_fits PROGRAM: true for Python 3.10 to 3.12, for which MindSpore has wheels
  "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null
}

find_python() { # print $PYTHON, else the first Python that fits
  if [ -n "${PYTHON:-}" ]; then
    python_fits "$PYTHON" || fail "PYTHON is $PYTHON; expected Python 3.10 to 3.12, for which MindSpore has wheels"
    echo "$PYTHON"
    return
  fi
  local candidate
  for candidate in python3.11 python3.12 python3.10 python3 python \
    "${HOME:-/nowhere}"/.pyenv/versions/3.1[0-2]*/bin/python; do
    if python_fits "$candidate"; then echo "$candidate"; return; fi
  done
  fail "no fitting Python found: MindSpore has wheels for Python 3.10, 3.11 and 3.12; install one (for example" \
    "'apt-get install python3 python3-venv') or name it: PYTHON=/path/to/python3.11"
}

make_venv() { # make $VENV; as root on Debian or Ubuntu, install the venv module if it is missing
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

ensure_environment() { # ensure_environment EXTRA: install an extra into $VENV if pyproject.toml changed
  local stamp="$VENV/.installed-$1"
  [ -x "$VENV/bin/python" ] || make_venv
  if ! cmp -s "$PROJECT/pyproject.toml" "$stamp"; then
    echo "installing the dependencies of '$1' (takes minutes the first time, because MindSpore is large)" >&2
    (cd "$PROJECT" && "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check ".[$1]") || fail \
      "installing the dependencies failed, see above; check that the Python package index is reachable"
    cp "$PROJECT/pyproject.toml" "$stamp"
  fi
}

project_python() { # project_python [MODULE]: print the Python of $VENV, else one that has MODULE (default: mindspore)
  if [ -x "$VENV/bin/python" ]; then echo "$VENV/bin/python"; return; fi
  local candidate module="${1:-mindspore}"
  for candidate in "${PYTHON:-}" python3 python; do
    if [ -n "$candidate" ] && "$candidate" -c "import $module" >/dev/null 2>&1; then echo "$candidate"; return; fi
  done
  fail "Python has no module $module; run 'pip install .' in $PROJECT, or 'bash scripts/quickstart.sh' once"
}

quickstart_checkpoint() { # print the default checkpoint
  local file="$PROJECT/$QUICKSTART_RUN/checkpoints/best.ckpt"
  [ -f "$file" ] || fail "CKPT is missing, and the default $file does not exist; run scripts/quickstart.sh first"
  echo "$file"
}

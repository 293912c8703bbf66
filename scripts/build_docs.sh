#!/usr/bin/env bash
# Build the documentation site, in English and Chinese. A broken link or a missing page is an error.
#   bash scripts/build_docs.sh [FOLDER]
# FOLDER  where to write the site, default site/. To read it: python -m http.server --directory site
# shellcheck source=scripts/common.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh" || exit 2
check_arguments 1 "[FOLDER]" "$@"

folder="$(realpath -m "${1:-$PROJECT/site}")"
"$VENV/bin/python" -c 'import jieba, material, mkdocstrings, mkdocs_static_i18n' 2>/dev/null || ensure_environment docs
cd "$PROJECT"
NO_MKDOCS_2_WARNING=1 "$VENV/bin/python" -m mkdocs build --strict --quiet --site-dir "$folder"
echo "site: $folder/index.html"

#!/bin/sh
# Builds the wheel with its compiled modules and unpacks it, unless nothing has changed: compiled.sh VENV FOLDER
set -eu
venv=$1
folder=$2
changed=$(find audit schemas dashboards hatch_build.py pyproject.toml -type f ! -name '*.pyc' -newer "$folder" -print -quit 2>/dev/null || echo all)
if [ -z "$changed" ]; then
  exit 0
fi
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
ATNA_COMPILED=yes "$venv/bin/python" -m pip --disable-pip-version-check --quiet wheel --no-deps --wheel-dir "$made" .
rm -rf "$folder"
"$venv/bin/python" -m zipfile -e "$made"/*.whl "$folder"
touch "$folder"

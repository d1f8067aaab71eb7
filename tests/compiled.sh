#!/bin/sh
# Builds the wheel with its compiled modules and unpacks it, unless nothing has changed: compiled.sh VENV FOLDER
set -eu
venv=$1
folder=$2
if [ -e "$folder" ] && [ -z "$(find audit schemas hatch_build.py pyproject.toml -newer "$folder" -print -quit)" ]; then
  exit 0
fi
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
ATNA_COMPILED=yes "$venv/bin/python" -m pip --disable-pip-version-check --quiet wheel --no-deps --wheel-dir "$made" .
rm -rf "$folder"
"$venv/bin/python" -m zipfile -e "$made"/*.whl "$folder"
touch "$folder"

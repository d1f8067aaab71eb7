#!/bin/sh
# Writes the lock files: versions and hashes for every platform, no addresses.
set -eu
.venv/bin/python -m pip install --quiet --upgrade uv
options="--quiet --universal --python-version 3.11 --generate-hashes --no-emit-find-links
  --no-emit-index-url --no-annotate --no-header"
# shellcheck disable=SC2086 - a list of options
.venv/bin/uv pip compile $options --all-extras pyproject.toml -o requirements.lock
# shellcheck disable=SC2086
.venv/bin/uv pip compile $options --all-extras --group dev pyproject.toml -o requirements-dev.lock
# What installs them.
# shellcheck disable=SC2086
echo uv | .venv/bin/uv pip compile $options - -o tests/install.lock

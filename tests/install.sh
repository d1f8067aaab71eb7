#!/bin/sh
# Installs the repository and what a lock file names, every archive checked by its hash:
# install.sh VENV LOCK [compiled]
# By uv, which takes a sixth of pip's time; by pip where that has an index or a proxy of its own, or uv can't be had.
set -eu
venv=$1
lock=$2
compiled=${3:-}
python=$venv/bin/python
pip="$python -m pip --disable-pip-version-check --quiet"
uv="$venv/bin/uv pip install --quiet --link-mode copy --python $python"

by_uv() {
  ! $pip config list | grep -qE '\.(index-url|extra-index-url|no-index|proxy|trusted-host)=' &&
    $pip install --require-hashes -r tests/install.lock 2>/dev/null &&
    $uv ${compiled:+--compile-bytecode} --require-hashes -r "$lock" &&
    $uv --no-deps --editable .
}

by_pip() {
  # shellcheck disable=SC2046 - an option or none
  $pip install $([ "$compiled" ] || echo --no-compile) --require-hashes -r "$lock"
  $pip install --no-deps --editable .
}

by_uv || by_pip

#!/bin/sh
# Makes a virtual environment: make_venv.sh PYTHON FOLDER
set -eu
python=$1
venv=$2
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  echo "make: $python is missing or older than 3.11; name a newer one: make PYTHON=python3.12 …" >&2
  exit 1
fi
if ! "$python" -m venv "$venv" 2>/dev/null; then
  rm -rf "$venv"
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
    "$python" -m venv "$venv"
  else
    echo "make: $python can't make a virtual environment; install your system's python3-venv" >&2
    exit 1
  fi
fi

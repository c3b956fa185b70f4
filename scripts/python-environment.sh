#!/usr/bin/env bash
# Makes a Python environment from a list of pinned packages.
#
#     scripts/python-environment.sh FOLDER REQUIREMENTS PURPOSE
#     scripts/python-environment.sh .venv plots/requirements.txt "the figures"
#
# The file FOLDER/complete comes last: an environment without it is made anew, and one that cannot be
# finished is removed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if (($# != 3)); then
  echo "usage: scripts/python-environment.sh FOLDER REQUIREMENTS PURPOSE" >&2
  exit 2
fi
readonly folder=$1 requirements=$2 purpose=$3

finished=false
trap '$finished || rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM

echo "setup: making the Python environment $folder for $purpose"
rm -rf "$folder"
python3 -m venv "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --retries 1 \
  --requirement "$requirements"
touch "$folder/complete"
finished=true

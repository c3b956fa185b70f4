#!/usr/bin/env bash
# Makes the Python environment of the figures, .venv, from plots/requirements.txt.
#
# The file .venv/complete comes last: an environment without it is made anew, and one that cannot be
# finished is removed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

finished=false
trap '$finished || rm -rf .venv' EXIT
trap 'exit 130' INT TERM

echo "setup: making the Python environment .venv for the figures"
rm -rf .venv
python3 -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input --retries 1 \
  --requirement plots/requirements.txt
touch .venv/complete
finished=true

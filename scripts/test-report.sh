#!/usr/bin/env bash
# Looks at reports of the gallery's runs in headless Chromium, at three widths, light and dark, and as they are printed.
#
#     scripts/test-report.sh                            all of them
#     scripts/test-report.sh --only sweep               this one; may be repeated
#     scripts/test-report.sh --screenshots FOLDER       and pictures of every page
#
# Runs of runs/gallery that are missing are run first, as by `make figures`. GRADFLOW names the program when it is not
# .build/release/gradflow, CHROMIUM the browser, PYTHON an interpreter that has the packages of the figures.
# Exit codes: 0 all is well; 1 a page has a fault, or cannot be made; 2 wrong use; 77 this machine has no browser and can
# have none, or it does not start, and the last lines say why.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh browser || true # what cannot be had is said here; the check looks for itself
code=0
PYTHONPATH=plots "${PYTHON:-.venv/bin/python}" plots/tests/browser/check.py "$@" || code=$?
if ((code == 77)); then echo "test-report: ended with 77: there is no browser here that could look at the pages" >&2; fi
exit "$code"

#!/usr/bin/env bash
# Runs one sweep on every engine of experiments/engines, with interruptions, and compares its bytes with a local run.
#
#     scripts/test-engines.sh                   all of them
#     scripts/test-engines.sh slurm snakemake   these; there are parallel, snakemake, slurm, snakemake-slurm
#
# Slurm is a cluster of one node on loopback in a folder of its own, which ends with the script. GRADFLOW names the
# program when it is not .build/release/gradflow.
# Exit codes: 0 all is well; 1 an engine does something wrong, or Python's packages cannot be had; 2 wrong use;
# 77 what could run is well, but this machine cannot have all engines, and the last lines say why.
set -euo pipefail
if [[ -n ${GRADFLOW:-} ]]; then GRADFLOW=$(realpath "$GRADFLOW") && export GRADFLOW; fi
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly requirements=experiments/engines/requirements.txt

# One by one, for one may be had without the other. What cannot be had is said here, and once more at the end.
for engine in slurm parallel; do scripts/setup.sh "$engine" || true; done
if [[ ! -e .venv-engines/complete || $requirements -nt .venv-engines/complete ]]; then
  scripts/python-environment.sh .venv-engines "$requirements" "the test of the engines"
fi
exec .venv-engines/bin/python experiments/engines/tests "$@"

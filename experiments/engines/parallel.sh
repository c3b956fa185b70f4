#!/usr/bin/env bash
# Runs a planned sweep in shards with GNU parallel, as many at a time as there are cores, and collects it:
#
#     experiments/engines/parallel.sh runs/capacity 8
#
# What follows the number of shards goes to `gradflow sweep run`, for example --retry-failed. GRADFLOW names the
# program when it is not .build/release/gradflow, PARALLEL holds further options of GNU parallel ('--jobs 4').
# A shard that was stopped or killed runs again, in up to ROUNDS rounds (10).
# Exit codes: 0 done; 1 something failed; 2 bad input; 130 stopped, the same command goes on.
set -euo pipefail

say() { printf 'parallel: %s\n' "$@" >&2; }
fail() {
  say "$@"
  exit 2
}

readonly program=${GRADFLOW:-.build/release/gradflow} rounds=${ROUNDS:-10}
[[ ${2:-} =~ ^[1-9][0-9]*$ ]] || fail "usage: experiments/engines/parallel.sh SWEEP SHARDS [OPTION …]"
readonly sweep=$1 count=$2
shift 2
[[ -e $sweep/ledger.jsonl ]] || fail "$sweep is no planned sweep: $program sweep plan EXPERIMENT --out $sweep"
command -v "$program" >/dev/null || fail "there is no $program: \`make build\`, or set GRADFLOW"
# Another program has the same name.
[[ $(parallel --version 2>/dev/null) == "GNU parallel"* ]] || fail \
  "GNU parallel is missing; on Debian and Ubuntu: apt-get install parallel"

stopped=false
child=
trap 'stopped=true; [[ -z $child ]] || kill -TERM "$child" 2>/dev/null || true' INT TERM
rm -f "$sweep"/parallel-*.log
mapfile -t shards < <(seq "$count")
failed=()
for ((round = 1; round <= rounds && ${#shards[@]} > 0; round++)); do
  log=$sweep/parallel-$round.log
  # When it is stopped it stops the shards, and gives them ten minutes to write their checkpoints.
  parallel --quote --joblog "$log" --termseq TERM,600000,KILL,25 \
    "$program" sweep run "$sweep" --shard "{}/$count" --threads 1 --quiet "$@" ::: "${shards[@]}" &
  child=$!
  if $stopped; then kill -TERM "$child"; fi
  wait "$child" || true
  while kill -0 "$child" 2>/dev/null; do wait "$child" || true; done
  child=
  if $stopped; then
    say "stopped; the same command goes on"
    exit 130
  fi
  # Columns of the log: 1 the number of the job, 7 its exit code, 8 the signal that killed it.
  again=()
  while read -r job code signal; do
    if ((code == 130 || signal != 0)); then
      say "shard ${shards[job - 1]}/$count was stopped (exit code $code, signal $signal): once more"
      again+=("${shards[job - 1]}")
    elif ((code != 0)); then
      failed+=("${shards[job - 1]}")
    fi
  done < <(awk -F '\t' 'NR > 1 { print $1, $7, $8 }' "$log")
  (($(wc -l <"$log") == ${#shards[@]} + 1)) || fail "GNU parallel did not end as it should; see $log"
  shards=(${again[@]+"${again[@]}"})
done

"$program" sweep collect "$sweep"
if ((${#shards[@]} > 0)); then
  say "shards ${shards[*]} were stopped or killed in each of $rounds rounds; the same command goes on"
  exit 130
fi
if ((${#failed[@]} > 0)); then
  say "shards ${failed[*]} have failures, which are not tried again by themselves: $program sweep status $sweep"
  exit 1
fi

#!/usr/bin/env bash
# Runs a planned sweep as a Slurm array, one shard per task; the size of the array is the number of shards:
#
#     sbatch --array=1-8 experiments/engines/slurm-array.sh runs/capacity
#
# What follows the sweep goes to `gradflow sweep run`, for example --retry-failed. GRADFLOW names the program when
# it is not .build/release/gradflow. Paths count from where sbatch is called. Options of sbatch go before this file
# and overrule the lines below.
#
# --signal has to leave the time to write a checkpoint, and Slurm up to a minute to deliver it: --time is to be
# some minutes at least. --open-mode keeps what a task said before it was requeued.
#SBATCH --job-name=gradflow
#SBATCH --output=%x-%A_%a.log
#SBATCH --open-mode=append
#SBATCH --time=01:00:00
#SBATCH --signal=B:TERM@120
#SBATCH --requeue
#SBATCH --cpus-per-task=1
set -euo pipefail

say() { printf 'slurm-array: %s\n' "$@" >&2; }
fail() {
  say "$@"
  exit 2
}

# Slurm runs a copy of this file, so nothing beside it can be used.
readonly program=${GRADFLOW:-.build/release/gradflow}
(($# > 0)) || fail "which sweep? sbatch --array=1-8 experiments/engines/slurm-array.sh SWEEP"
[[ -n ${SLURM_JOB_ID:-} ]] || fail "this is for sbatch; without Slurm: $program sweep run $1"
readonly sweep=$1
shift
command -v "$program" >/dev/null || fail \
  "there is no $program in $PWD. Submit from the folder of the repository after \`make build\`," \
  "or say where it is: GRADFLOW=/path/to/gradflow sbatch …"

readonly count=${SLURM_ARRAY_TASK_COUNT:-1}
readonly shard=$((${SLURM_ARRAY_TASK_ID:-1} - ${SLURM_ARRAY_TASK_MIN:-1} + 1))
((shard <= count)) || fail "the array has gaps; it has to be one range, such as --array=1-8"

# The number of a task may be that of its whole array, and to requeue that is to requeue all tasks.
job=$SLURM_JOB_ID
if [[ -n ${SLURM_ARRAY_TASK_ID:-} ]]; then job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID; fi

# Puts this task back into the queue, unless Slurm has decided already what becomes of it: a task that was cancelled
# stays so, and one that was preempted, or requeued by hand, is in the queue.
requeue() {
  local state _
  for _ in {1..6}; do
    if state=$(scontrol --oneliner show job "$job"); then
      if [[ $state != *" JobState=RUNNING "* && $state != *" Reason=TimeLimit "* ]]; then return 0; fi
      if scontrol requeue "$job"; then return 0; fi
    fi
    sleep 5
  done
  say "$job could not be requeued. Submit the same array again: what stands is not run again."
}

# MARK: - One shard

say "shard $shard/$count, start $((${SLURM_RESTART_COUNT:-0} + 1)) of $job"
stopped=false
child=
# Slurm tells only this shell, and a shell that waits for a program in the foreground hears nothing.
trap 'stopped=true; [[ -z $child ]] || kill -TERM "$child" 2>/dev/null || true' TERM
"$program" sweep run "$sweep" --shard "$shard/$count" --threads "${SLURM_CPUS_PER_TASK:-1}" --quiet "$@" &
child=$!
if $stopped; then kill -TERM "$child"; fi
code=0
wait "$child" || code=$?
# The signal ends the wait; the program is still writing its checkpoint.
while kill -0 "$child" 2>/dev/null; do
  code=0
  wait "$child" || code=$?
done
say "shard $shard/$count ended with $code"

case $code in
  # Stopped, or (143) told to before it could say so. RequeueExit=130 of the cluster is not relied on: with it the task
  # ends for a moment, and what depends on it by afterok never runs. It finds the task in the queue and does nothing.
  130 | 143)
    requeue
    exit 130
    ;;
  1) say "what failed is not tried again by itself: $program sweep status $sweep" ;;
esac
exit "$code"

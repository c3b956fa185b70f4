#!/usr/bin/env bash
# Builds everything with sanitizers and runs the tests, and the program where tests start it, under them.
#
#     scripts/sanitize.sh address|thread [FLAGS OF SWIFT BUILD…]
#     TESTS='--filter CVODETests' scripts/sanitize.sh address -c release
#
# `address` is AddressSanitizer with LeakSanitizer and, in C, UndefinedBehaviorSanitizer; `thread` is
# ThreadSanitizer. All come with the Swift toolchain. First they have to see faults made on purpose and
# keep silent about programs that are right: what sees nothing finds nothing.
#
# Reports go to files, for tests read what the program prints, and a program that a test kills reports, too.
# Exit code: 0 when all tests pass and nobody reported anything; 1 otherwise.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly kind=${1-}
readonly build=$PWD/.build-$kind own=$PWD/scripts/sanitizers
case $kind in
  address)
    readonly sanitizer=(--sanitize=address -Xcc -fsanitize=undefined -Xcc -fno-sanitize-recover=undefined)
    readonly seen=(
      c-read c-write c-freed c-stack c-overflow c-shift c-misaligned c-leak
      swift-read swift-freed swift-double-free swift-leak swift-cycle)
    readonly left_out=()
    ;;
  thread)
    readonly sanitizer=(--sanitize=thread -Xlinker "$build/swift-mutex.o")
    readonly seen=(c-race c-race-lanes c-race-vectors swift-race swift-race-lanes swift-race-relaxed)
    # Programs that are started thousands of times, mostly with one thread, most of an hour long, with the threads of
    # other tests. Some limit the size of files, and the sanitizer needs one of its own.
    readonly left_out=(
      --skip aLimitOnFileSizesKeepsWhatIsWhole --skip aLimitThatTakesNothingLeavesNothing
      --skip KillTests --skip ResumeTests --skip HostileExperimentTests --skip HostileFileTests --skip HostileDiskTests)
    ;;
  *)
    echo "usage: scripts/sanitize.sh address|thread [FLAGS OF SWIFT BUILD…]" >&2
    exit 2
    ;;
esac
readonly right=(atomic condition lanes mutex semaphore tasks)
readonly flags=("${@:2}" "${sanitizer[@]}")
read -r -a tests <<<"${TESTS-}"

say() { printf 'sanitize: %s\n' "$*"; }
fail() {
  printf 'sanitize: %s\n' "$@" >&2
  exit 1
}

toolchain=$(dirname "$(readlink -f "$(command -v swift)")")
mkdir -p "$build"
[[ $kind == address ]] || "$toolchain/clang" -O1 -fPIC -Wall -Werror -c "$own/swift-mutex.c" -o "$build/swift-mutex.o"

# Options that all of them know. A test asks for more memory than there is, and gets none.
reports=$build/reports
options=allocator_may_return_null=1:exitcode=86:log_exe_name=1:log_path=$reports/report
# Names instead of addresses, without which nothing in a library can be told from what is not.
options+=:external_symbolizer_path=$toolchain/llvm-symbolizer
export ASAN_OPTIONS=$options:detect_leaks=1:suppressions=$own/address.supp
export LSAN_OPTIONS=$options:print_suppressions=0:suppressions=$own/leaks.supp
export UBSAN_OPTIONS=$options:print_stacktrace=1
export TSAN_OPTIONS=$options:suppressions=$own/thread.supp
forget_reports() { rm -rf "$reports" && mkdir "$reports"; }
count_reports() { { grep -rls '^SUMMARY: ' "$reports" || true; } | wc -l; }

say "faults on purpose"
swift build --quiet --package-path "$own/faults" --scratch-path "$build/faults" "${flags[@]}"
for fault in "${seen[@]}"; do
  forget_reports
  if "$build/faults/release/faults" "$fault" >/dev/null 2>&1 || (($(count_reports) == 0)); then
    fail "the fault $fault is not seen; see $own/faults/Sources"
  fi
done
for program in "${right[@]}"; do
  forget_reports
  if ! "$build/faults/release/faults" "$program" >/dev/null 2>&1 || (($(count_reports) > 0)); then
    cat "$reports"/* 2>/dev/null
    fail "the program $program is right, and reported; see $own/faults/Sources"
  fi
done
say "all ${#seen[@]} are seen, and nothing in ${#right[@]} programs that are right"

forget_reports
status=0
swift build --scratch-path "$build" "${flags[@]}" --build-tests
# The tests have the limits of programs that nobody watches.
GRADFLOW_WATCHED=1 GRADFLOW_PATIENCE=20 GRADFLOW_GRACE=400 swift test --scratch-path "$build" "${flags[@]}" --disable-testable-imports \
  --disable-xctest ${left_out[@]+"${left_out[@]}"} ${tests[@]+"${tests[@]}"} || status=1

found=$(count_reports)
if ((found > 0)); then
  grep -rhs '^SUMMARY: ' "$reports" | sort | uniq -c | sort -rn >&2
  fail "$found processes reported what is above; the reports are in $reports"
fi
((status == 0)) || fail "nothing is reported, but tests fail"
say "$kind: silent"

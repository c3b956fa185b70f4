#!/usr/bin/env bash
# Installs what gradflow needs from Debian's or Ubuntu's packages, and only what is missing.
#
#     scripts/setup.sh             what building, running and testing need
#     scripts/setup.sh slurm       and Slurm, for the test of experiments/engines
#     scripts/setup.sh parallel    or GNU parallel
#     scripts/setup.sh browser     or Chromium, for the test of reports; it needs no Swift
#     scripts/setup.sh sanitize    and the sanitizers of the toolchain, which are only looked for
#
# Each need is looked for as the file that the build will use, so SUNDIALS built by hand counts too
# (SUNDIALS_PREFIX says where). When nothing is missing, nothing is said and nothing is run.
# Exit codes: 0 everything is there; 1 something is missing and cannot be installed from here; 2 wrong use.
set -euo pipefail

readonly needed_swift=6.2
readonly sundials_prefix=${SUNDIALS_PREFIX:-/usr}

say() { printf 'setup: %s\n' "$*"; }
fail() {
  printf 'setup: %s\n' "$@" >&2
  exit 1
}

# Whether one of the patterns matches a file.
any_file() {
  local file
  for file in "$@"; do
    if [[ -e $file ]]; then return 0; fi
  done
  return 1
}

# Whether the linker will find lib$1.so; the other arguments are folders to look in first.
has_library() {
  local name=$1 folder
  shift
  local -a folders=("$@")
  local -a given=()
  IFS=: read -r -a given <<<"${LIBRARY_PATH:-}"
  for folder in "${folders[@]}" ${given[@]+"${given[@]}"} \
    /usr/lib /usr/lib/*-linux-gnu /usr/lib64 /usr/local/lib; do
    if [[ -n $folder ]] && any_file "$folder/lib$name".{so,a}; then return 0; fi
  done
  return 1
}

has_sundials() {
  [[ -e $sundials_prefix/include/cvode/cvode.h ]] &&
    has_library sundials_cvode "$sundials_prefix/lib" "$sundials_prefix/lib64"
}

# Whether python3 can make a virtual environment with pip in it.
has_venv() { python3 -c 'import ensurepip, venv' 2>/dev/null; }

# Whether a program is there; daemons are not in everybody's path.
has_program() { PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin command -v "$1" >/dev/null; }

# Another program has the same name.
has_gnu_parallel() { [[ $(parallel --version 2>/dev/null) == "GNU parallel"* ]]; }

# The same names as in plots/tests/browser/chromium.py.
has_chromium() {
  local name
  if [[ -n ${CHROMIUM:-} ]]; then
    has_program "$CHROMIUM"
    return
  fi
  for name in chromium chromium-browser google-chrome-stable google-chrome chrome; do
    if has_program "$name"; then return 0; fi
  done
  return 1
}

# MARK: - What is missing

declare -a packages=() # names for apt-get
declare -A purpose=()  # package → what it is for

need() {
  packages+=("$1")
  purpose[$1]=$2
}

look() {
  packages=()
  if [[ $extra == browser ]]; then
    has_chromium || need chromium "Chromium, for the test of reports"
    any_file /usr/share/fonts/*/*/*.ttf /usr/share/fonts/*/*.ttf /usr/share/fonts/*.ttf ||
      need fonts-dejavu-core "letters, for the test of reports"
    return 0
  fi
  has_sundials || need libsundials-dev "SUNDIALS, the integrator"
  has_library openblas || need libopenblas-dev "OpenBLAS, linear algebra"
  any_file /usr/lib/gcc/*/*/crtbegin.o && any_file /usr/include/c++/*/vector /usr/local/include/c++/*/vector ||
    need g++ "what Swift links against, and C++ headers"
  any_file /usr/include/stdio.h /usr/include/*/stdio.h || need libc6-dev "C headers"
  command -v ld.gold >/dev/null || need binutils-gold "the linker that Swift calls"
  command -v git >/dev/null || need git "fetches the Swift packages"
  any_file /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt ||
    need ca-certificates "lets git trust the hosts of the Swift packages"
  has_venv || need python3-venv "the figures and their tests"
  case $extra in
    slurm)
      { has_program slurmctld && has_program slurmd && has_program sbatch; } ||
        need slurm-wlm "Slurm, for the test of experiments/engines"
      has_program munged || need munge "what Slurm knows its users by"
      ;;
    parallel) has_gnu_parallel || need parallel "GNU parallel, for the test of experiments/engines" ;;
  esac
}

# The shared libraries that the Swift toolchain itself needs and does not find.
look_for_swift_libraries() {
  local program library
  program=$(dirname "$(readlink -f "$1")")/swift-package
  [[ -x $program ]] || return 0
  while read -r library; do
    case $library in
      libcurl.so.4) need libcurl4 "a library of the Swift toolchain" ;;
      libxml2.so.2) need libxml2 "a library of the Swift toolchain" ;;
      libsqlite3.so.0) need libsqlite3-0 "a library of the Swift toolchain" ;;
      libncurses.so.6) need libncurses6 "a library of the Swift toolchain" ;;
      libstdc++.so.6) need libstdc++6 "a library of the Swift toolchain" ;;
    esac
  done < <(ldd "$program" 2>/dev/null | sed -n 's/^[[:space:]]*\([^ ]*\) => not found.*/\1/p')
}

# The sanitizers belong to the toolchain, and nothing but a whole toolchain brings them.
look_for_sanitizers() {
  local name toolchain
  toolchain=$(dirname "$(readlink -f "$1")")
  for name in asan tsan; do
    any_file "$toolchain"/../lib/clang/*/lib/*/libclang_rt."$name"{-"$(uname -m)",}.a || fail \
      "the Swift toolchain at $toolchain has no sanitizers (libclang_rt.$name)." \
      "Install the whole toolchain from https://www.swift.org/install/linux/, not a slim one."
  done
  for name in clang llvm-symbolizer; do
    [[ -x $toolchain/$name ]] || fail "the Swift toolchain at $toolchain has no $name."
  done
}

# MARK: - Installing

# Prints how to become root: nothing, "sudo", or "sudo -n" where nobody can type a password.
# Fails when this user cannot.
root_command() {
  if ((EUID == 0)); then return 0; fi
  command -v sudo >/dev/null || return 1
  if [[ -t 0 && -z ${CI:-} ]]; then
    echo sudo
  elif sudo -n true 2>/dev/null; then
    echo "sudo -n"
  else
    return 1
  fi
}

install() {
  local package command as_root log
  command="apt-get install --no-install-recommends ${packages[*]}"
  if ((EUID != 0)); then command="sudo $command"; fi
  if ! command -v apt-get >/dev/null; then
    only_python_is_missing && return 0
    fail "there is no apt-get here. Missing, under Debian's names: ${packages[*]}." \
      "Install them with this system's own tools; if SUNDIALS lies elsewhere, set SUNDIALS_PREFIX."
  fi
  if ! as_root=$(root_command); then
    only_python_is_missing && return 0
    fail "missing: ${packages[*]}; installing them needs root, and sudo does not give it here." \
      "Run this, then try again:" "  $command"
  fi
  for package in "${packages[@]}"; do say "installing $package (${purpose[$package]})"; done
  log=$(mktemp)
  # shellcheck disable=SC2064  # the name of now
  trap "rm -f '$log'" EXIT
  # shellcheck disable=SC2086  # as_root is no word, one, or two
  if ! { $as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q &&
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
      "${packages[@]}"; } </dev/null >"$log" 2>&1; then
    cat "$log" >&2
    only_python_is_missing && return 0
    fail "apt-get failed, see above. When its cause is removed, run this and try again:" \
      "  $command"
  fi
}

# Without python3-venv only the figures and their tests are missing: say so and go on.
only_python_is_missing() {
  [[ ${packages[*]} == python3-venv ]] || return 1
  say "python3-venv is missing and cannot be installed here: no figures, no tests of them." >&2
}

# MARK: - Main

readonly extra=${1:-}
if (($# > 1)) || [[ $extra != @(|slurm|parallel|browser|sanitize) ]]; then
  echo "usage: scripts/setup.sh [slurm | parallel | browser | sanitize]" >&2
  exit 2
fi

if [[ $extra == browser ]]; then
  if [[ -n ${CHROMIUM:-} ]] && ! has_chromium; then fail "CHROMIUM names $CHROMIUM, and there is no such program."; fi
  look
  if ((${#packages[@]} > 0)); then
    install
    look
    ((${#packages[@]} == 0)) || fail "still missing after the installation: ${packages[*]}."
  fi
  exit 0
fi

swift=$(command -v swift) || fail \
  "there is no Swift toolchain: the command swift is not in PATH." \
  "Install Swift $needed_swift or later from https://www.swift.org/install/linux/ and try again."

look
look_for_swift_libraries "$swift"
if ((${#packages[@]} > 0)); then
  install
  look
  if ((${#packages[@]} > 0)) && [[ ${packages[*]} != python3-venv ]]; then
    fail "still missing after the installation: ${packages[*]}." \
      "If SUNDIALS lies elsewhere, set SUNDIALS_PREFIX to the folder that holds include/cvode."
  fi
fi

# "Swift version 6.3.1 (swift-6.3.1-RELEASE)", "Apple Swift version 6.2 (…)"
version=$("$swift" --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p' | head -n 1)
[[ -n $version ]] || fail "$swift does not run: try \`swift --version\`."
oldest=$(printf '%s\n' "$needed_swift" "$version" | sort -V | head -n 1)
[[ $oldest == "$needed_swift" ]] || fail \
  "Swift $version at $swift is too old: $needed_swift or later is needed." \
  "See https://www.swift.org/install/linux/"

if [[ $extra == sanitize ]]; then look_for_sanitizers "$swift"; fi

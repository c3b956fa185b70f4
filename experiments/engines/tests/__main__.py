"""Runs one sweep on every engine, interrupted, and compares its bytes with those of a local run.

    scripts/test-engines.sh [parallel] [snakemake] [slurm] [snakemake-slurm]

Exit codes: 0 all is well; 1 an engine does something wrong; 2 wrong use; 77 nothing is wrong, but this
machine cannot have all engines.
"""

import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

import processes
from cluster import CannotHost
from parts import PARTS
from trial import ENGINES, Trial

ROOT = ENGINES.parents[1]


def say(*words) -> None:
    print("test-engines:", *words, flush=True)


def show_logs(folders: list[Path]) -> None:
    """Prints the ends of the newest logs."""
    logs = [log for folder in folders for log in folder.rglob("*.log")
            if ".snakemake" not in log.parts or "slurm_logs" in log.parts]
    for log in sorted(logs, key=lambda log: log.stat().st_mtime)[-10:]:
        print(f"--- {log}", *log.read_text(errors="replace").splitlines()[-20:], sep="\n", flush=True)


def judge(trial: Trial, names: list[str]) -> int:
    """Runs the parts, whichever of them fails, and returns the exit code."""
    failed, impossible = [], {}
    trial.run_locally()
    for title, part in [each for name in names for each in PARTS[name]]:
        start, before = time.monotonic(), set(trial.folder.iterdir())
        try:
            result = part(trial)
            say(f"{title:28} the bytes of the local run: {result} ({time.monotonic() - start:.0f} s)")
        except CannotHost as error:
            impossible.setdefault(str(error), []).append(title)
        except (AssertionError, OSError, LookupError, processes.Overdue) as error:
            # A failed `assert` without words says where it stands.
            where = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{Path(where.filename).name}:{where.lineno}: {where.line}"
            say(f"{title:28} FAILED: {error or repr(error)} ({place})")
            failed.append(title)
            trial.clear_up()
            show_logs([trial.scratch / "slurm", *sorted(set(trial.folder.iterdir()) - before)])
    for reason, titles in impossible.items():
        say(f"NOT RUN on this machine: {', '.join(titles)}; {reason}")
    if failed:
        say(f"{', '.join(failed)} failed; everything is kept in {trial.scratch}")
        return 1
    return 77 if impossible else 0


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in PARTS]
    program = Path(os.environ.get("GRADFLOW", ROOT / ".build" / "release" / "gradflow")).absolute()
    if unknown:
        say(f"there is no part {unknown[0]}, only {', '.join(PARTS)}")
        return 2
    if not os.access(program, os.X_OK):
        say(f"there is no {program}; run `make build` or set GRADFLOW")
        return 2
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    processes.adopt_orphans()
    start = time.monotonic()
    # Not TMPDIR: the name of a socket must not be long, and Slurm reads no spaces.
    scratch = Path(tempfile.mkdtemp(prefix="gradflow-engines-", dir="/tmp"))
    # Munge wants everybody to reach its socket.
    scratch.chmod(0o755)
    code = 130
    try:
        code = judge(Trial(program, scratch), names or list(PARTS))
    except KeyboardInterrupt:
        say("stopped")
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        left = processes.end_all()
        if left:
            say("these processes could not be ended:", *left)
            code = 1
        if code in (0, 77, 130):
            shutil.rmtree(scratch, ignore_errors=True)
    say(f"exit code {code}, {time.monotonic() - start:.0f} s")
    return code


sys.exit(main(sys.argv[1:]))

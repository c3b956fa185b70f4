"""Measure the peers beside gradflow: ``python -m peers``."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

from . import report
from .cases import all_cases
from .gradflow import Gradflow, GradflowError
from .gradients import time_gradients
from .harness import Harness
from .machine import describe, write_json

BENCHMARKS = Path(__file__).resolve().parents[1]
ROOT = BENCHMARKS.parent


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; give its exit code: 0 done, 1 failed, 2 bad usage."""
    options = parse(arguments)
    work = BENCHMARKS / ".work" / ("quick" if options.quick else "full")
    # What is not the whole comparison stays beside the work.
    is_partial = options.quick or bool(options.only)
    results = options.results or (work / "results" if is_partial else BENCHMARKS / "results")
    figure = options.figure or (
        work / "work-precision.png" if is_partial else ROOT / "plots" / "gallery" / "work-precision.png"
    )
    if options.report:
        try:
            records, gradients, machine = report.read_records(results)
        except FileNotFoundError as error:
            print(f"error: there is no {error.filename}; measure first, or give --results.")
            return 2
        return present(records, gradients, machine, figure)
    gradflow = Gradflow(options.gradflow_bin.resolve(), options.threads)
    for program in (gradflow.program, gradflow.benchmarks):
        if not program.is_file():
            print(f"error: there is no {program}; run make bench, or give --gradflow-bin.")
            return 2
    keep_to_cores(options.threads)
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    begin_or_resume(work, fingerprint(gradflow, options))
    try:
        return measure(work, results, figure, gradflow, options)
    except GradflowError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the next run of the same command goes on from here")
        return 130


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m peers",
        description="Measure gradflow and its peers side by side. A run that was interrupted goes on where "
        "it stopped; after a complete one the next begins anew.",
    )
    parser.add_argument(
        "--limit", type=positive, default=600.0, metavar="S", help="stop a solve after S seconds (600)"
    )
    parser.add_argument("--quick", action="store_true", help="three tolerances, few dense solves")
    parser.add_argument(
        "--only", type=pattern, default="", metavar="REGEX",
        help="only methods like “diffrax Kvaerno3, compressed”; results stay under .work",
    )  # fmt: skip
    parser.add_argument("--threads", type=count, default=2, metavar="N", help="threads of each (2)")
    parser.add_argument(
        "--rounds", type=int, default=7, metavar="N", help="rounds of gradient timings; 0: none (7)"
    )
    parser.add_argument(
        "--experiment", type=Path, default=ROOT / "experiments/three-stage.yaml", metavar="FILE"
    )
    parser.add_argument(
        "--gradflow-bin", type=Path, default=ROOT / ".build/release", metavar="DIR",
        help="where gradflow and flow-benchmarks are",
    )  # fmt: skip
    parser.add_argument("--results", type=Path, metavar="DIR", help="where the tables go")
    parser.add_argument("--figure", type=Path, metavar="FILE", help="where the figure goes")
    parser.add_argument(
        "--report", action="store_true", help="measure nothing; print and draw what was measured"
    )
    return parser.parse_args(arguments)


def positive(text: str) -> float:
    """Read a positive number."""
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"{text} is not positive")
    return value


def count(text: str) -> int:
    """Read a number of threads."""
    value = int(text)
    if not 1 <= value <= (os.cpu_count() or 1):
        raise argparse.ArgumentTypeError(f"{text} is not in 1…{os.cpu_count()}, the cores of this machine")
    return value


def pattern(text: str) -> str:
    """Read a regular expression that some method has."""
    try:
        if any(re.search(text, case.method) for case in all_cases(quick=False)):
            return text
    except re.error as error:
        raise argparse.ArgumentTypeError(f"{text} is no regular expression: {error}") from None
    methods = sorted({case.method for case in all_cases(quick=False)})
    raise argparse.ArgumentTypeError(f"no method is like {text}; there are: {'; '.join(methods)}")


def keep_to_cores(threads: int) -> None:
    """Let this process and its children run on so many cores only: some libraries count cores."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def fingerprint(gradflow: Gradflow, options: argparse.Namespace) -> dict[str, Any]:
    """Return what must be the same for measurements to belong to one run."""
    files = {
        "gradflow": gradflow.program,
        "flow-benchmarks": gradflow.benchmarks,
        "experiment": options.experiment,
        "requirements": BENCHMARKS / "requirements.txt",
    }
    return {
        "limit": options.limit,
        "threads": options.threads,
        **{name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()},
    }


def begin_or_resume(work: Path, expected: dict[str, Any]) -> None:
    """Keep what an interrupted run of the same measurements left, and nothing else."""
    path = work / "fingerprint.json"
    if path.is_file() and not (work / "complete").exists():
        if json.loads(path.read_text(encoding="utf-8")) == expected:
            print("going on with the run that was interrupted")
            return
        print("programs or settings have changed since the interrupted run: beginning anew")
    if work.exists():
        # A complete run is hours of work: the last one is kept.
        last = work.with_name(work.name + "-last")
        if (work / "complete").exists():
            shutil.rmtree(last, ignore_errors=True)
            work.rename(last)
            print(f"the last complete run is now in {last}")
        else:
            shutil.rmtree(work)
    work.mkdir(parents=True)
    write_json(path, expected)


def measure(work: Path, results: Path, figure: Path, gradflow: Gradflow, options: argparse.Namespace) -> int:
    """Measure, write the results and print them."""

    def say(line: str) -> None:
        print(line, flush=True)

    harness = Harness(work, gradflow, options.experiment, options.limit, say)
    harness.prepare()
    machine = describe(options.threads, gradflow.program)
    machine["limit"] = options.limit
    machine["checks"] = json.loads((harness.setup / "check.json").read_text(encoding="utf-8"))
    gradients: list[dict[str, Any]] = []
    if options.rounds:
        path = work / "gradients.json"
        if not path.is_file():
            write_json(path, time_gradients(work, BENCHMARKS, gradflow, options.rounds, say))
        gradients = json.loads(path.read_text(encoding="utf-8"))
    cases = [c for c in all_cases(quick=options.quick) if re.search(options.only, c.method)]
    records = harness.measure(cases)
    report.write_results(results, records, gradients, machine)
    if not options.only:
        (work / "complete").touch()
    return present(*report.read_records(results), figure)


def present(
    records: list[dict[str, Any]],
    gradients: list[dict[str, Any]],
    machine: dict[str, Any],
    figure: Path,
) -> int:
    """Print the tables and draw the figure."""
    print("\n" + report.summary(records, gradients, machine))
    if any(record["status"] == "finished" for record in records):
        from .figure import save

        print(f"\n{save(records, machine['limit'], figure)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Cases in processes of their own: limits, failures, and going on after an interruption."""

import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from peers import harness as module
from peers.__main__ import begin_or_resume
from peers.cases import Case, all_cases
from peers.child import Child, TimeLimit
from peers.gradflow import without_claims
from peers.harness import Harness
from peers.machine import OtherLoad
from peers.problem import read_problem, read_trajectory

SLOW = Case("diffrax", "Kvaerno3", "dense", rtol=1e-4)
TIGHTER = Case("diffrax", "Kvaerno3", "dense", rtol=1e-5)

HANGS = """
import json, pathlib, sys, time
from peers.progress import Progress
progress = Progress(pathlib.Path(OUT) / "progress")
print("a library's greeting")
print(json.dumps({"event": "prepared", "prepare_seconds": 1, "compile_seconds": 2, "note": ""}), flush=True)
print(json.dumps({"event": "solving"}), flush=True)
progress.begin_stage(20)
progress.at(12.5)
time.sleep(600)
"""


@pytest.fixture
def harness(run_folder: Path, tmp_path: Path) -> Harness:
    """Return a harness whose reference is the small run, without gradflow."""
    gradflow = SimpleNamespace(threads=1)
    made = Harness(tmp_path, gradflow, tmp_path / "none.yaml", limit=1.5, say=lambda line: None)
    made.problem = read_problem(run_folder)
    made.reference = read_trajectory(run_folder, made.problem)
    return made


def replace_worker(monkeypatch: pytest.MonkeyPatch, program: str) -> list[Case]:
    """Let a program in Python stand for the worker, OUT its folder; return the cases it was called for."""
    called: list[Case] = []

    def command(kind: str, setup: str, case: str, out: str, limit: str) -> list[str]:
        called.append(Case(**json.loads(case)))
        return [sys.executable, "-c", f"OUT = {out!r}\n{program}"]

    monkeypatch.setattr(module, "worker_command", command)
    return called


def test_a_solve_that_takes_too_long_is_a_lower_bound(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = replace_worker(monkeypatch, HANGS)
    begin = time.monotonic()
    records = harness.measure([SLOW, TIGHTER])
    assert 1.5 < time.monotonic() - begin < 30
    assert called == [SLOW]
    first, second = records
    assert (first["status"], first["seconds"], first["reached_t"]) == ("limit", 1.5, 12.5)
    assert (first["compile_seconds"], first["evaluations"]) == (2, 1)
    assert (second["status"], second["seconds"]) == ("not run", 1.5)
    assert second["note"] == "not run: stopped already at rtol 1e-04"


def test_what_is_measured_is_not_measured_again(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    called = replace_worker(monkeypatch, HANGS)
    records = harness.measure([SLOW])
    assert harness.measure([SLOW, TIGHTER])[:1] == records
    assert called == [SLOW]


@pytest.mark.parametrize(
    ("program", "note"),
    [
        ("raise SystemExit(3)", "ended early with exit code 3"),
        ('print(\'{"event": "failed", "message": "step too small"}\')', "step too small"),
    ],
)
def test_failures_are_results(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, program: str, note: str
) -> None:
    replace_worker(monkeypatch, program)
    (record,) = harness.measure([SLOW])
    assert record["status"] == "failed"
    assert note in record["note"]


def test_a_child_is_ended_with_its_children(tmp_path: Path) -> None:
    program = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        'print(\'{"event": "made", "pid": %d}\' % child.pid, flush=True)\n'
        "time.sleep(600)"
    )
    with Child([sys.executable, "-c", program], {}, tmp_path / "log") as child:
        pid = child.event(30)["pid"]
        with pytest.raises(TimeLimit):
            child.event(0.05)
    deadline = time.monotonic() + 10
    while _is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _is_running(pid)


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_an_interrupted_run_goes_on_and_a_complete_one_begins_anew(tmp_path: Path) -> None:
    work, same = tmp_path / "work", {"limit": 600, "gradflow": "abc"}
    begin_or_resume(work, same)
    (work / "kept").touch()
    begin_or_resume(work, same)
    assert (work / "kept").exists()
    begin_or_resume(work, {"limit": 60, "gradflow": "abc"})
    assert not (work / "kept").exists()
    (work / "kept").touch()
    (work / "complete").touch()
    begin_or_resume(work, {"limit": 60, "gradflow": "abc"})
    assert not (work / "kept").exists()
    assert not (work / "complete").exists()


@pytest.mark.parametrize("quick", [False, True])
def test_cases_are_distinct_and_loosest_first(quick: bool) -> None:
    cases = all_cases(quick=quick)
    assert len({case.key for case in cases}) == len(cases)
    for method in {case.method for case in cases}:
        tolerances = [case.rtol for case in cases if case.method == method and case.rtol]
        assert tolerances == sorted(tolerances, reverse=True)


def test_claims_are_left_out() -> None:
    text = "a: 1\nclaims: [G1, G2]  # all\nb: 2\n"
    assert without_claims(text) == "a: 1\nb: 2\n"


def test_own_work_is_not_others() -> None:
    load = OtherLoad()
    deadline = time.process_time() + 0.3
    while time.process_time() < deadline:
        pass
    busy = load.cores()
    claimed = OtherLoad(running=iter([0.0, 1e9]).__next__)
    time.sleep(0.05)
    assert busy is not None and busy >= 0
    assert claimed.cores() == 0

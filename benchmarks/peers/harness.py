"""Runs all cases one after the other, each in a process of its own, and remembers what is done."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .cases import Case
from .child import Child, TimeLimit, environment, worker_command
from .distances import distances
from .gradflow import Gradflow, GradflowError, without_claims
from .machine import OtherLoad, write_json
from .problem import Problem, Trajectory, read_problem, read_trajectory
from .progress import read_progress

#: Reading, counting, compiling and checking may take so many seconds.
PREPARING_LIMIT = 1800.0
#: The reference and the run that says how good it is.
REFERENCE_TOLERANCE, SHARPER_TOLERANCE = 1e-11, 1e-12
REPETITIONS = 3

#: What one case gave: column → value.
Record = dict[str, Any]


@dataclass
class Harness:
    """Measurements in the folder ``work``: one file per case, so that an interrupted run goes on.

    ``limit``: seconds after which a solve is stopped. ``say`` prints a line.
    """

    work: Path
    gradflow: Gradflow
    experiment: Path
    limit: float
    say: Callable[[str], None] = print
    problem: Problem = field(init=False)
    reference: Trajectory = field(init=False)

    @property
    def setup(self) -> Path:
        """Return the folder of the reference run, its corpus and the check."""
        return self.work / "reference"

    @property
    def posed(self) -> Path:
        """Return the experiment that is measured."""
        return self.work / "experiment.yaml"

    def prepare(self) -> None:
        """Make the reference and check all gradients against it, unless that is done."""
        self.work.mkdir(parents=True, exist_ok=True)
        if not (self.setup / "check.json").is_file():
            text = self.experiment.read_text(encoding="utf-8")
            self.posed.write_text(without_claims(text), encoding="utf-8")
            self.say("reference: gradflow at a relative tolerance of 1e-11, and 1e-12 beside it")
            self._run_reference(self.setup, REFERENCE_TOLERANCE, export=True)
            self._run_reference(self.work / "sharper", SHARPER_TOLERANCE)
            self.say("check: losses and gradients of all peers against gradflow's")
            checked = self._check()
            self.problem = read_problem(self.setup)
            sharper = read_trajectory(self.work / "sharper", self.problem)
            reference = read_trajectory(self.setup, self.problem)
            checked["reference"] = distances(self.problem, reference.theta, sharper.theta)
            write_json(self.setup / "check.json", checked)
        self.problem = read_problem(self.setup)
        self.reference = read_trajectory(self.setup, self.problem)

    def _run_reference(self, out: Path, rtol: float, *, export: bool = False) -> None:
        settings = tolerance_settings(rtol) | {"solver.event_errors": False}
        self.gradflow.run(self.posed, out, settings, export=export)

    def _check(self) -> Record:
        command = worker_command("check", str(self.setup))
        environ = environment(self.gradflow.threads, self.work)
        with Child(command, environ, self.work / "check.log") as child:
            for event in child.events({}, PREPARING_LIMIT):
                if event["event"] == "checked":
                    return {name: value for name, value in event.items() if name != "event"}
                if event["event"] == "failed":
                    raise GradflowError(f"the gradients do not agree: {event['message']}")
        raise GradflowError(f"the check of the gradients ended early; see {self.work}/check.log")

    def measure(self, cases: list[Case]) -> list[Record]:
        """Measure all cases that are not measured yet; return all records in the order of the cases.

        What did not end within the limit is not tried again at a tighter tolerance: such a case becomes
        a lower bound without a run, status ``not run``.
        """
        records: list[Record] = []
        stopped: dict[str, Case] = {}
        begin = time.monotonic()
        for number, case in enumerate(cases, 1):
            path = self.work / "cases" / f"{case.key}.json"
            if path.is_file():
                record = json.loads(path.read_text(encoding="utf-8"))
            else:
                looser = stopped.get(case.method)
                record = self.skipped(case, looser) if looser else self.measure_one(case)
                path.parent.mkdir(exist_ok=True)
                write_json(path, record)
                minutes = (time.monotonic() - begin) / 60
                self.say(f"{minutes:6.1f} min  {number:3}/{len(cases)}  {sentence(record)}")
            if record["status"] == "limit" and case.rtol is not None:
                stopped[case.method] = case
            records.append(record)
        return records

    def skipped(self, case: Case, looser: Case) -> Record:
        """Return the record of a case that need not be run."""
        note = f"not run: stopped already at {looser.setting}"
        return self.record(case, status="not run", seconds=self.limit, note=note)

    def measure_one(self, case: Case) -> Record:
        """Measure one case."""
        if case.peer == "gradflow":
            return self.measure_gradflow(case)
        return self.measure_peer(case)

    def record(self, case: Case, **values: Any) -> Record:
        """Return a record with what the case says."""
        return {
            "method": case.method,
            "setting": case.setting,
            **case.to_json(),
            "atol": case.atol,
            "limit": self.limit,
            **values,
        }

    def measure_gradflow(self, case: Case) -> Record:
        """Time whole processes of gradflow: sampling, compressing, solving and writing."""
        out = self.work / "runs" / case.key
        settings = tolerance_settings(case.rtol) | {"solver.event_errors": case.event_errors}
        times: list[float] = []
        load = OtherLoad()
        try:
            for _ in range(REPETITIONS):
                times.append(self.gradflow.run(self.posed, out, settings, limit=self.limit))
        except subprocess.TimeoutExpired:
            return self.record(case, status="limit", seconds=self.limit, note="")
        except GradflowError as error:
            return self.record(case, status="failed", note=str(error)[:300])
        other_cores = load.cores()
        stages = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["stages"]
        statistics_ = [stage["statistics"] for stage in stages]
        theta = read_trajectory(out, self.problem).theta
        shutil.rmtree(out)
        return self.record(
            case,
            status="finished",
            **timing(times),
            compile_seconds=0.0,
            prepare_seconds=0.0,
            steps=sum(s["steps"] for s in statistics_),
            evaluations=sum(s["derivative_evaluations"] for s in statistics_),
            jacobians=sum(s["jacobian_evaluations"] for s in statistics_),
            other_cores=other_cores,
            reached_t=self.problem.span,
            note="whole process",
            **distances(self.problem, theta, self.reference.theta),
        )

    def measure_peer(self, case: Case) -> Record:
        """Run a worker and listen to it; stop it when a solve exceeds the limit."""
        out = self.work / "runs" / case.key
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        command = worker_command(
            "solve", str(self.setup), json.dumps(case.to_json()), str(out), repr(self.limit)
        )
        environ = environment(self.gradflow.threads, out)
        known: Record = {"note": ""}
        times: list[float] = []
        with Child(command, environ, out / "log") as child:
            try:
                for event in child.events({"solving": self.limit}, PREPARING_LIMIT):
                    kind = event.pop("event")
                    if kind == "prepared":
                        known |= event
                    elif kind == "solved":
                        times.append(event["seconds"])
                    elif kind == "extrapolated":
                        return self.record(case, status="extrapolated", **{**known, **event})
                    elif kind == "failed":
                        known["note"] = event["message"]
                        break
                    elif kind == "finished":
                        return self._finished(case, out, known, event)
            except TimeLimit:
                if not times and "compile_seconds" in known:
                    return self._stopped(case, out, known)
                known["note"] = known["note"] or "took too long beside the solve"
            if not known["note"]:
                known["note"] = f"ended early with exit code {child.code}; see {out.name}/log"
        return self.record(case, status="failed", **known)

    def _finished(self, case: Case, out: Path, known: Record, event: Record) -> Record:
        with np.load(out / "trajectory.npz") as archive:
            theta = [archive[name] for name in archive.files]
        times = event.pop("seconds")
        shutil.rmtree(out)
        return self.record(
            case,
            status="finished",
            **{**known, **event, **timing(times)},
            reached_t=self.problem.span,
            **distances(self.problem, theta, self.reference.theta),
        )

    def _stopped(self, case: Case, out: Path, known: Record) -> Record:
        reached, evaluations = read_progress(out / "progress")
        return self.record(
            case,
            status="limit",
            seconds=self.limit,
            **known,
            reached_t=reached,
            evaluations=evaluations,
        )


def tolerance_settings(rtol: float) -> dict[str, object]:
    """Return gradflow's settings for a relative tolerance, the absolute one two digits below."""
    return {
        "solver.relative_tolerance": repr(rtol),
        "solver.absolute_tolerance": repr(rtol * 1e-2),
    }


def timing(times: list[float]) -> Record:
    """Return the median of repeated times, the fastest, and how many there are."""
    return {
        "seconds": statistics.median(times),
        "fastest_seconds": min(times),
        "repetitions": len(times),
    }


def sentence(record: Record) -> str:
    """Return one line of progress."""
    name = f"{record['method']}, {record['setting']}"
    status, seconds = record["status"], record.get("seconds")
    if status == "finished":
        return f"{name}: {seconds:.3g} s, distance {record['distance_max']:.1e}"
    if status == "limit":
        return f"{name}: stopped after {seconds:g} s at t = {record.get('reached_t', 0):.3g}"
    if status == "extrapolated":
        return f"{name}: about {seconds:.3g} s, extrapolated"
    return f"{name}: {status}. {record['note']}"

"""Times of single gradients, the peers' and gradflow's in turn."""

from __future__ import annotations

import contextlib
import functools
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .child import Child, TimeLimit, environment, worker_command
from .gradflow import Gradflow, GradflowError
from .machine import OtherLoad
from .problem import read_problem, read_trajectory

#: A burst of a peer's gradients: at most so many, and after three only while it is this short.
BURST = (21, 2.0)
PREPARING_LIMIT = 900.0


@dataclass(frozen=True)
class Comparison:
    """One objective: the experiment that exports its data, gradflow's arguments, and the peers."""

    name: str
    experiment: str
    arguments: tuple[str, ...]
    peers: tuple[str, ...]


COMPARISONS = (
    Comparison(
        name="10⁴ sequences of 100, d = 3, M = 5, H = 3, D = 2, α = 0.1",
        experiment="corpus-gradient.yaml",
        arguments=tuple(
            "--sequences 10000 --length 100 --vocabulary 3 --window 5 --heads 3 --degree 2".split()
        ),
        peers=(
            "JAX compressed",
            "JAX dense",
            "JAX dense, plain",
            "PyTorch compressed, compiled",
            "PyTorch dense, compiled",
            "PyTorch dense",
            "PyTorch dense, plain",
        ),
    ),
    Comparison(
        name="infinite context, 1000 chains, d = 3, M = 5, H = 3, D = 2, α = 0.1",
        experiment="population-gradient.yaml",
        arguments=("--chains", "1000", "--window", "5"),
        peers=("NumPy with OpenBLAS",),
    ),
)


def time_gradients(
    work: Path, experiments: Path, gradflow: Gradflow, rounds: int, say: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Return a record per program: the median over rounds, in each of which every program has its turn."""
    records = []
    for comparison in COMPARISONS:
        folder = work / comparison.experiment.removesuffix(".yaml")
        gradflow.run(experiments / comparison.experiment, folder, {}, export=True)
        problem = read_problem(folder)
        expected = read_trajectory(folder, problem).loss[0][0]
        with contextlib.ExitStack() as stack:
            children: dict[str, Child] = {}
            details: dict[str, dict[str, Any]] = {"gradflow": {"status": "finished"}}
            for name in comparison.peers:
                child = _child(folder, name, gradflow.threads, work)
                details[name] = _ready(stack.enter_context(child), name, expected)
                if details[name]["status"] == "finished":
                    children[name] = child
            medians: dict[str, list[float]] = {name: [] for name in ("gradflow", *children)}
            load = OtherLoad(functools.partial(_processor_seconds, list(children.values())))
            for _ in range(rounds):
                for name, child in children.items():
                    medians["gradflow"].append(gradflow.gradient_milliseconds(list(comparison.arguments)))
                    child.send(BURST)
                    medians[name].append(_timed(child, name))
            other_cores = load.cores()
        for name, detail in details.items():
            times = medians.get(name, [])
            record = {"objective": comparison.name, "program": name, **detail}
            if times:
                record |= {
                    "milliseconds": statistics.median(times),
                    "fastest_milliseconds": min(times),
                    "rounds": len(times),
                    "other_cores": other_cores,
                }
            records.append(record)
            say(f"gradient, {comparison.name}: {name}: {_text(record)}")
    return records


def _processor_seconds(children: list[Child]) -> float:
    return sum(child.processor_seconds() for child in children)


def _child(folder: Path, name: str, threads: int, work: Path) -> Child:
    log = work / f"gradient-{''.join(c if c.isalnum() else '-' for c in name)}.log"
    return Child(worker_command("gradient", str(folder), name), environment(threads, work), log)


def _ready(child: Child, name: str, expected: float) -> dict[str, Any]:
    """Wait until a child is ready, and hold its loss against gradflow's."""
    try:
        event = child.event(PREPARING_LIMIT)
    except TimeLimit as error:
        return {"status": "failed", "note": str(error)}
    if event is None or event["event"] != "ready":
        return {"status": "failed", "note": (event or {}).get("message", "ended early")}
    if not abs(event["loss"] - expected) <= 1e-12:
        raise GradflowError(f"{name}: the loss is {event['loss']}, where gradflow has {expected}.")
    return {"status": "finished", "compile_seconds": event["compile_seconds"]}


def _timed(child: Child, name: str) -> float:
    event = child.event(PREPARING_LIMIT)
    if event is None or event["event"] != "timed":
        raise GradflowError(f"{name}: ended while its gradients were timed: {event}")
    return event["milliseconds"]


def _text(record: dict[str, Any]) -> str:
    if "milliseconds" in record:
        return f"{record['milliseconds']:.3g} ms"
    return f"{record['status']}: {record['note']}"

"""What is integrated: model, start, stages and sample times, as a run directory of gradflow states them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml


class ProblemError(Exception):
    """A run directory that the peers cannot pose their problem from; the text says why."""


@dataclass(frozen=True)
class Model:
    """TF(M, H, d, D): every head looks at lags 1…M, the read-out runs over full windows.

    ``subsets`` are the sets S of heads, counted from 0, in the order of c.
    """

    vocabulary: int
    window: int
    heads: int
    subsets: tuple[tuple[int, ...], ...]
    floor: float

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of c (S), w (H, M) and a ()."""
        return {"c": (len(self.subsets),), "w": (self.heads, self.window), "a": ()}

    @property
    def slices(self) -> dict[str, slice]:
        """Return where c, w and a stand in the flat θ."""
        slices, begin = {}, 0
        for group, shape in self.shapes.items():
            end = begin + int(np.prod(shape))
            slices[group] = slice(begin, end)
            begin = end
        return slices

    @property
    def size(self) -> int:
        """Return the number of parameters."""
        return self.slices["a"].stop

    def parts(self, theta: np.ndarray) -> dict[str, np.ndarray]:
        """Split the flat θ (P) into c, w and a."""
        shapes = self.shapes
        return {group: theta[where].reshape(shapes[group]) for group, where in self.slices.items()}


@dataclass(frozen=True)
class Stage:
    """One stage: the group that it trains, and its sample times on its own clock, from 0 to its end."""

    name: str
    group: str
    clock: np.ndarray


@dataclass(frozen=True)
class Problem:
    """θ′ = −∇L(θ) from ``start`` (P) through the stages, each from where the one before ended."""

    model: Model
    start: np.ndarray
    stages: tuple[Stage, ...]

    @property
    def span(self) -> float:
        """Return the length of all stages together."""
        return float(sum(stage.clock[-1] for stage in self.stages))


@dataclass(frozen=True)
class Trajectory:
    """A run of gradflow: per stage θ (samples, P), and per sample loss and gradient norms by group."""

    theta: tuple[np.ndarray, ...]
    loss: tuple[np.ndarray, ...]
    norms: tuple[dict[str, np.ndarray], ...]


def read_problem(folder: Path) -> Problem:
    """Read the problem that a run directory states.

    Raise ``ProblemError`` where the peers' models do not cover it.
    """
    experiment = yaml.safe_load((folder / "experiment.yaml").read_text(encoding="utf-8"))
    described, window = experiment["model"], experiment["model"]["window"]
    population = experiment["data"]["source"] == "population"
    covered = {
        "every head looks at lags 1…M": all(lags == list(range(1, window + 1)) for lags in described["lags"]),
        "the read-out runs over full windows": described["readout"] == "full-window",
        "targets are sampled": population or experiment["loss"]["targets"] == "sampled",
        "every stage trains one group": all(len(s["train"]) == 1 for s in experiment["stages"]),
    }
    for condition, holds in covered.items():
        if not holds:
            raise ProblemError(f"{folder}: the peers need that {condition}.")
    names, rows = _rows(folder)
    model = Model(
        vocabulary=experiment["data"]["vocabulary"],
        window=window,
        heads=described["heads"],
        subsets=tuple(_subset(name) for name in names if name.startswith("c.")),
        floor=float(experiment["loss"]["floor"]),
    )
    if len(names) != model.size:
        raise ProblemError(f"{folder}: {len(names)} parameters where {model.size} are expected.")
    sampling = experiment["sampling"]
    stages = tuple(
        Stage(stage["name"], stage["train"][0], sample_clock(float(stage["until"]), sampling))
        for stage in experiment["stages"]
    )
    origin = 0.0
    for stage in stages:
        times = np.array([float(row["t"]) for row in rows if row["stage"] == stage.name]) - origin
        if times.shape != stage.clock.shape or not np.allclose(times, stage.clock, 1e-9, 1e-9):
            raise ProblemError(f"{folder}: stage {stage.name} was sampled at other times.")
        origin += stage.clock[-1]
    start = np.array([float(rows[0][name]) for name in names])
    return Problem(model, start, stages)


def sample_clock(end: float, sampling: dict[str, float]) -> np.ndarray:
    """Return 0, then ``per_decade`` times per factor of ten from ``first`` on, and ``end``."""
    first, per_decade = float(sampling["first"]), int(sampling["per_decade"])
    count = int(np.floor(np.log10(end / first) * per_decade + 1e-9)) + 1
    times = first * 10.0 ** (np.arange(count) / per_decade)
    return np.concatenate([[0.0], times[times < end * (1 - 1e-12)], [end]])


def read_trajectory(folder: Path, problem: Problem) -> Trajectory:
    """Read what a run of the problem recorded."""
    names, rows = _rows(folder)
    theta, loss, norms = [], [], []
    for stage in problem.stages:
        chosen = [row for row in rows if row["stage"] == stage.name]
        theta.append(np.array([[float(row[name]) for name in names] for row in chosen]))
        loss.append(np.array([float(row["loss"]) for row in chosen]))
        norms.append({g: np.array([float(row[f"gradient_norm.{g}"]) for row in chosen]) for g in "cwa"})
    return Trajectory(tuple(theta), tuple(loss), tuple(norms))


def _rows(folder: Path) -> tuple[list[str], list[dict[str, str]]]:
    """Return the names of the parameters and all rows of ``trajectory.csv``."""
    with (folder / "trajectory.csv").open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    names = [n for n in reader.fieldnames or [] if n == "a" or n.startswith(("c.", "w."))]
    return names, rows


def _subset(name: str) -> tuple[int, ...]:
    """Return the heads of ``c.1+2``, counted from 0; none for ``c.0``."""
    text = name.removeprefix("c.")
    return () if text == "0" else tuple(int(head) - 1 for head in text.split("+"))

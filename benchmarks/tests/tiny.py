"""A small problem, and a run directory of it as gradflow would leave it."""

from __future__ import annotations

import csv
import itertools
import json
from pathlib import Path

import numpy as np
import yaml

from peers.data import compress
from peers.models_jax import full_gradient, loss_and_arrays
from peers.problem import Model, Problem, Stage, sample_clock

SAMPLING = {"first": 0.1, "per_decade": 3}
STAGES = {"selection": ("c", 20.0), "copying": ("w", 10.0), "classification": ("a", 5.0)}


def model(*, vocabulary: int = 3, window: int = 3, heads: int = 3, degree: int = 2) -> Model:
    """Return a model with all subsets of 1…degree heads."""
    sizes = range(1, degree + 1)
    subsets = tuple(s for n in sizes for s in itertools.combinations(range(heads), n))
    return Model(vocabulary, window, heads, subsets, floor=1e-6)


def tokens(model: Model, *, sequences: int = 40, length: int = 15, seed: int = 1) -> np.ndarray:
    """Return sequences in which a token mostly follows from the two before it, (N, L + 1)."""
    random = np.random.default_rng(seed)
    x = random.integers(0, model.vocabulary, (sequences, length + 1))
    for t in range(2, length + 1):
        copied = random.random(sequences) < 0.8
        x[copied, t] = ((x[:, t - 1] + 2 * x[:, t - 2] + 1) % model.vocabulary)[copied]
    return x


def start(model: Model, *, seed: int = 1, scale: float = 1.0) -> np.ndarray:
    """Return a θ without symmetries, (P)."""
    random = np.random.default_rng(seed)
    theta = random.normal(size=model.size)
    theta[model.slices["c"]] = 0.3 + random.random(len(model.subsets))
    theta[model.slices["a"]] = scale
    return theta


def problem(model: Model) -> Problem:
    """Return three short stages."""
    stages = tuple(Stage(name, group, sample_clock(end, SAMPLING)) for name, (group, end) in STAGES.items())
    return Problem(model, start(model), stages)


def names(model: Model) -> list[str]:
    """Return the names of the parameters."""
    subsets = ["c." + "+".join(str(h + 1) for h in s) for s in model.subsets]
    weights = [f"w.{h + 1}.{m + 1}" for h in range(model.heads) for m in range(model.window)]
    return [*subsets, *weights, "a"]


def write_run(folder: Path, model: Model, x: np.ndarray) -> Path:
    """Write a run directory whose trajectory stands still at the start."""
    folder.mkdir(parents=True)
    posed = problem(model)
    lags = list(range(1, model.window + 1))
    experiment = {
        "data": {"source": "chains", "vocabulary": model.vocabulary},
        "model": {
            "heads": model.heads,
            "window": model.window,
            "lags": [lags] * model.heads,
            "readout": "full-window",
        },
        "loss": {"floor": model.floor, "targets": "sampled"},
        "stages": [{"name": n, "train": [g], "until": end} for n, (g, end) in STAGES.items()],
        "sampling": SAMPLING,
    }
    (folder / "experiment.yaml").write_text(yaml.safe_dump(experiment))
    np.savez(folder / "corpus.npz", tokens=x.astype(np.uint8))
    corpus = compress(x, model.vocabulary, model.window, model.floor)
    loss, slope = full_gradient(model, *_swap(loss_and_arrays(model, corpus), posed.start))
    norms = {group: np.linalg.norm(slope[where]) for group, where in model.slices.items()}
    with (folder / "trajectory.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["stage", "t", "loss", *names(model), *(f"gradient_norm.{group}" for group in norms)])
        origin = 0.0
        for stage in posed.stages:
            for t in stage.clock:
                values = [float(v) for v in (loss, *posed.start, *norms.values())]
                writer.writerow([stage.name, repr(float(origin + t)), *map(repr, values)])
            origin += stage.clock[-1]
    (folder / "check.json").write_text(json.dumps({"curvature": dict.fromkeys(STAGES, 1.0)}))
    return folder


def _swap(pair: tuple, theta: np.ndarray) -> tuple:
    return pair[0], theta, pair[1]

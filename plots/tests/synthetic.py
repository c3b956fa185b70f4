"""A run directory that looks like a real one, from closed forms and small flows.

The rates and levels are those of N = 10⁴ sequences of length 100 from 3 symbols with parents 1, 2.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

SUBSETS = ["1", "2", "3", "1+2", "1+3", "2+3"]
INFORMATION = np.array([0.146, 0.166, 0.147, 0.198, 0.158, 0.168])
STAGES = ["selection", "copying", "classification"]
END, SCALE, CONTEXT = 1e5, 0.01, 100


def clock(count: int = 240) -> np.ndarray:
    """Return log-spaced samples of a stage with its start and end."""
    return np.concatenate([[0.0], np.geomspace(1e-2, END, count)])


def shares(t: np.ndarray) -> np.ndarray:
    """Return the replicator flow of stage I: each share grows as exp(4 a Ĩ t)."""
    logits = 4 * SCALE * np.outer(t, INFORMATION)
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def leak(t: np.ndarray, head: int) -> np.ndarray:
    """Return 1 − σ on the own lag in stage II: harmonic for selected heads."""
    start = 2 / (2 + np.exp(3.0))
    rate = [2.2e-2, 2.6e-2, 4e-9][head]
    return 1 / (1 / start + rate * t * 0.2)


def scale(t: np.ndarray) -> np.ndarray:
    """Return a in stage III: logarithmic growth to a finite end."""
    free = np.log1p(0.9 * t)
    return SCALE + 5.71 * (1 - np.exp(-free / 2.6)) / (1 - np.exp(-np.log1p(0.9 * END) / 2.6))


def write_run(folder: Path, state: str = "finished") -> Path:
    """Write all files of the run; give the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    own = clock()
    frames = []
    for index, stage in enumerate(STAGES):
        t = own
        ones = np.ones_like(t)
        p = shares(t if index == 0 else END * ones)
        leaks = [
            leak(t if index == 1 else (0.0 if index == 0 else END) * ones, h) for h in range(3)
        ]
        a = scale(t) if index == 2 else SCALE * ones
        quality = (p @ INFORMATION) * (1 - 0.5 * (leaks[0] + leaks[1]))
        loss = 0.643 - 2.6 * SCALE * quality
        if index == 2:
            loss = 0.2215 + (loss[0] - 0.2215) * np.exp(-1.1 * (a - SCALE)) / (1 + 0.02 * a)
        gradient = {
            "c": 1.3e-3 * (p.max(axis=1) - p.max(axis=1) ** 2) + 2e-9,
            "w": 2.6e-3 * leaks[0] ** 2 * a / SCALE / (1 + a**3) + 1e-9,
            "a": 0.2 * np.exp(-1.45 * (a - SCALE)) + 3e-9,
        }
        frame = {"stage": stage, "t": t + index * END, "loss": loss}
        frame["gradient_norm"] = np.sqrt(sum(g**2 for g in gradient.values()))
        for column, subset in enumerate(SUBSETS):
            frame[f"c.{subset}"] = np.sqrt(p[:, column])
        attention = {}
        for head in range(3):
            others = [lag for lag in range(3) if lag != head]
            for lag in range(3):
                share = 0.55 if others and lag == others[0] else 0.45
                part = share if index else 0.5
                attention[head, lag] = 1 - leaks[head] if lag == head else part * leaks[head]
                frame[f"w.{head + 1}.{lag + 1}"] = np.log(attention[head, lag])
        frame["a"] = a
        for column, subset in enumerate(SUBSETS):
            frame[f"share.{subset}"] = p[:, column]
        for (head, lag), values in attention.items():
            frame[f"attention.{head + 1}.{lag + 1}"] = values
        for group, values in gradient.items():
            frame[f"gradient_norm.{group}"] = values
        frames.append(pd.DataFrame(frame))
    trajectory = pd.concat(frames)
    trajectory.to_csv(folder / "trajectory.csv", index=False, lineterminator="\n")
    events(folder)
    steps(folder, own)
    (folder / "experiment.yaml").write_text("# A synthetic run\nname: three-stage\n")
    (folder / "final.yaml").write_text("parameters: {}\n")
    manifest = {
        "schema_version": 1,
        "status": {"state": state},
        "stages": [
            {"name": name, "trained_groups": [group], "t_start": i * END, "t_end": (i + 1) * END}
            for i, (name, group) in enumerate(zip(STAGES, "cwa", strict=True))
        ],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2))
    return folder


def events(folder: Path) -> None:
    """Write events.csv with times found on a fine grid."""
    t = np.geomspace(1, END, 400_001)
    p = shares(t)[:, SUBSETS.index("1+2")]
    rows = [
        ["selection", "selection.1+2", t[np.argmax(p >= 0.5)], 0.8, "reached"],
        ["selection", "selection-complete.1+2", t[np.argmax(p >= 1 - 1 / CONTEXT)], 2.5, "reached"],
    ]
    for head in (0, 1):
        when = END + t[np.argmax(leak(t, head) <= 0.01)]
        rows.append(["copying", f"copying-complete.{head + 1}", when, 30.0, "reached"])
    rows.append(["copying", "copying-complete.3", 2 * END, np.nan, "not reached"])
    progress = np.exp(-1.1 * (scale(t) - SCALE))
    within = (progress - progress[-1]) / (1 - progress[-1])
    when = 2 * END + t[np.argmax(within <= 0.01)]
    rows.append(["classification", "classification", when, 4.0, "reached"])
    columns = ["stage", "name", "t", "t_error", "status"]
    table = pd.DataFrame(rows, columns=columns)
    table.to_csv(folder / "events.csv", index=False, lineterminator="\n")


def steps(folder: Path, own: np.ndarray) -> None:
    """Write steps.csv."""
    frames = [
        pd.DataFrame(
            {
                "stage": stage,
                "t": own[1:] + index * END,
                "step": np.diff(own),
                "order": 5,
                "error_estimate": 0.3,
                "evaluations": np.arange(1, len(own)),
                "linear_failures": 0,
            }
        )
        for index, stage in enumerate(STAGES)
    ]
    pd.concat(frames).to_csv(folder / "steps.csv", index=False, lineterminator="\n")

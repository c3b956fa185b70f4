"""Directories of the other kinds, from closed forms: claims, sweeps, planes, evaluations, informations, benchmarks."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
from synthetic import END, INFORMATION, SCALE, SUBSETS, leak, scale

BEST = SUBSETS.index("1+2")
MANIFEST = {"schema_version": 1, "status": {"state": "finished"}, "stages": []}


def rates() -> dict[str, float]:
    """Return the exact slopes of ln(c_S*/c_S) in the synthetic run."""
    return {s: 2 * SCALE * (INFORMATION[BEST] - INFORMATION[i]) for i, s in enumerate(SUBSETS) if i != BEST}


def law(claim: str, statement: str, derived: float, measured: float | None = None, **more: object) -> dict[str, object]:
    """Return a row of claims.csv."""
    measured = derived * 1.0005 if measured is None else measured
    row = {"claim": claim, "statement": statement, "derived": derived, "measured": measured,
           "lower": measured - abs(measured) * 1e-4, "upper": measured + abs(measured) * 1e-4, "verdict": "holds",
           "reference": "derived", "model_error": abs(derived) * 1e-3, "note": "", "flow": "", "relation": "equal"}  # fmt: skip
    return {**row, **more}


def write_claims(folder: Path, *, rejected: bool = False) -> Path:
    """Add the laws that hold for the synthetic run, exactly."""
    rows = [law("G1", "C_D conserved", 0.0, 1e-8)]
    for subset, rate in rates().items():
        rows.append(law("G2", f"ln(c_S*/c_S) slope, S*={{1,2}}, S={{{subset.replace('+', ',')}}}", rate))
    rows.append(law("G3", "time at which p_S* reaches 0.99, S*={1,2}", 5200.0))
    for head in (0, 1):
        for kind in ("gap ODE", "asymptote"):
            exact = leak(np.array([END]), head)[0]
            rows.append(law("G4", f"1−σ of head {head + 1} at t=1e5, {kind}", exact))
    rows.append(law("G7", "a at the end, against the zero of ∂L/∂a", float(scale(np.array([END]))[0])))
    rows.append(law("G8", "largest total variation from GIH(S*) ≤ tanh(Δ/2)", 0.02, 0.01, relation="at most"))
    rows.append(law("G5", "move of head 3", 1.0, 1.4 if rejected else 1.0, verdict="rejected" if rejected else "holds"))
    pd.DataFrame(rows).to_csv(folder / "claims.csv", index=False, lineterminator="\n")
    return folder


def write_mixed(folder: Path) -> Path:
    """Write a run of the mixed target's four phases, from formulas that look like its flow."""
    folder.mkdir(parents=True, exist_ok=True)
    t = np.concatenate([[0.0], np.geomspace(0.01, 3e7, 400)])
    emerged = 1 / (1 + np.exp(np.clip(-(t - 6.5e6) / 2e5, -700, 700)))
    g4 = 0.125 / (1 + 0.5 * t)
    ih = 2.7e-6 * (0.065 + 0.935 * np.exp(-2 * t / 5e4)) * np.maximum(1 - emerged, 1e-14)
    columns = {"stage": "layer-2", "t": t, "loss": g4 + ih, "gradient_norm": g4, "p1": np.inf, "p": np.log1p(t) / 2,
               "v1": 0.5 * (1 - np.exp(-t)), "v": 0.5 * (1 - np.exp(-t / 5e4)), "wk": np.sqrt(emerged) / 2,
               "wq": np.sqrt(emerged) / 2, "loss.g4": g4, "loss.ih": ih, "k": emerged / 4}  # fmt: skip
    columns |= {f"gradient_norm.{name}": g4 * weight for name, weight in zip(["p1", "p", "v1", "v", "w"], range(5))}
    pd.DataFrame(columns).to_csv(folder / "trajectory.csv", index=False, lineterminator="\n")
    events = [("partial-learning", 214.8), ("plateau-entry", 1.15e5), ("plateau-exit", 4.8e6), ("emergence", 6.5e6),
              ("convergence", 7.5e6)]  # fmt: skip
    table = pd.DataFrame([("layer-2", name, at, 1e-3, "reached", 30.0) for name, at in events],
                         columns=["stage", "name", "t", "t_error", "status", "sampling_error"])  # fmt: skip
    table.to_csv(folder / "events.csv", index=False, lineterminator="\n")
    steps = pd.DataFrame({"stage": "layer-2", "t": t[1:], "step": np.diff(t), "order": 5, "error_estimate": 0.3,
                          "evaluations": np.arange(1, len(t)), "linear_failures": 0})  # fmt: skip
    steps.to_csv(folder / "steps.csv", index=False, lineterminator="\n")
    laws = [law("M1", "4t·L_G4 at the end, t=3e+07", 1.0), law("M4", "T of emergence", 6.5e6),
            law("M3", "L_IH/L_IH(0) at t=0.5N", 0.41, note="t = 24831.33"),
            law("M6", "rate of log L_IH at last", -5e-6)]  # fmt: skip
    pd.DataFrame(laws).to_csv(folder / "claims.csv", index=False, lineterminator="\n")
    (folder / "experiment.yaml").write_text("# Four phases?\nmodel:\n  family: mixed-target\n")
    manifest = MANIFEST | {"stages": [{"name": "layer-2", "trained_groups": ["p", "v1", "v", "w"], "t_start": 0}]}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def write_sweep(folder: Path, count: int = 6) -> Path:
    """Write a collected sweep of α and a(0): copying is late at large α and small a(0), and then not reached."""
    folder.mkdir(parents=True, exist_ok=True)
    alphas, scales = np.geomspace(0.05, 2, count), np.geomspace(3e-3, 0.3, count)
    runs, events = [], []
    for number, (alpha, start) in enumerate(itertools.product(alphas, scales), 1):
        row = {"number": number, "flow": number, "replicate": 1, "data.concentration": alpha, "initial.scale": start,
               "status": "finished"}  # fmt: skip
        for stage, offset, name, time in (("selection", 0.0, "selection.1+2", 20 * (1 + alpha) / start),
                                          ("copying", 1e5, "copying-complete.1", 300 * (1 + 4 * alpha**2) / start)):  # fmt: skip
            late = time > 1e5
            t = offset + min(time, 1e5)
            row |= {f"t.{name}": t, f"t_error.{name}": None if late else 0.1, f"reached.{name}": "no" if late else "yes"}
            events.append((number, 1, stage, name, t, None if late else 0.1, "not reached" if late else "reached", None))
        row |= {"leader": "{1,2}" if alpha < 1 else "{1}", "leading_share": 0.98, "G2.1.statement": "a slope, S={1}",
                "G2.1.derived": 1 / start, "G2.1.model_error": 0.02 / start, "G2.1.measured": 1.01 / start,
                "G2.1.lower": 1.005 / start, "G2.1.upper": 1.015 / start, "G2.1.verdict": "holds", "G2.1.relation": "equal", "a": 5.0, "loss": 0.3, "laws_hold": "yes", "message": ""}  # fmt: skip
        runs.append(row)
    pd.DataFrame(runs).to_csv(folder / "phase-diagram.csv", index=False, lineterminator="\n")
    columns = ["flow", "replicate", "stage", "name", "t", "t_error", "status", "sampling_error"]
    pd.DataFrame(events, columns=columns).to_csv(folder / "events.csv", index=False, lineterminator="\n")
    (folder / "experiment.yaml").write_text(
        "stages:\n  - {name: selection, until: 1.0e+5}\nevents:\n  complete_share: 0.99\n"
        "sweep:\n  # an axis\n  - key: data.concentration\n    from: 0.05\n  - {key: initial.scale, count: 6}\n"
    )
    (folder / "ledger.jsonl").write_text("")
    (folder / "manifest.json").write_text(json.dumps(MANIFEST | {"flows": {"total": len(runs)}}))
    stages = [{"name": "selection", "t_start": 0, "t_end": 1e5}, {"name": "copying", "t_start": 1e5, "t_end": 2e5}]
    for run in runs:
        place = folder / f"flows/{run['flow']:06}"
        place.mkdir(parents=True)
        (place / "manifest.json").write_text(json.dumps(MANIFEST | {"stages": stages}))
    return folder


def write_emergence(folder: Path) -> Path:
    """Write what ``gradflow run`` leaves of flows over lengths, sizes of the start and proportions; exact M4."""
    folder.mkdir(parents=True, exist_ok=True)
    keys = ["data.length", "initial.sigma", "target.proportion", "target.weight"]
    runs, events, laws = [], [], []
    grid = itertools.product([50, 1000, 20000], [1e-2, 1e-4, 1e-6], [0.5, 4.0], [0.3, 0.5])
    for number, values in enumerate(grid, 1):
        length, sigma, proportion, weight = values
        time = (length - 2) * (1 + (1 + proportion) ** 2 / weight**2 * (np.log(weight / sigma) - 0.44))
        runs.append((number, 1, *values, f"flows/{number:06}", "finished"))
        events.append((number, 1, "layer-2", "emergence", time, 1e-3, "reached", None))
        where = ", ".join(f"{key}={value:g}" for key, value in zip(keys, values, strict=True))
        laws.append(law("M4", "T of emergence", time / 1.0005, time, flow=where))
    laws.append(law("M4", "slope of T against N, initial.sigma=0.01", 2.0, flow=""))
    pd.DataFrame(runs, columns=["flow", "replicate", *keys, "path", "status"]).to_csv(folder / "flows.csv", index=False)
    columns = ["flow", "replicate", "stage", "name", "t", "t_error", "status", "sampling_error"]
    pd.DataFrame(events, columns=columns).to_csv(folder / "events.csv", index=False)
    pd.DataFrame(laws).to_csv(folder / "claims.csv", index=False)
    (folder / "experiment.yaml").write_text("sweep:\n" + "".join(f"  - key: {key}\n    values: []\n" for key in keys))
    (folder / "manifest.json").write_text(json.dumps(MANIFEST | {"flows": {"total": len(runs)}}))
    return folder


def write_evaluation(folder: Path) -> Path:
    """Write the folder of ``gradflow evaluate``."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for alpha, length in itertools.product([0.05, 0.1], [10, 100, 1000]):
        for name, excess in (("model", 5.2 / length), ("GIH({1,2})", 5 / length), ("true kernel", 0.0),
                             ("in-context Bayes", 2 / length), ("uniform", 0.9)):  # fmt: skip
            rows.append((alpha, length, 4000, name, alpha + excess, 1e-3, excess, 5e-4, None, None))
    columns = "concentration length sequences predictor loss loss_se excess excess_se drop drop_se".split()
    pd.DataFrame(rows, columns=columns).to_csv(folder / "evaluation.csv", index=False)
    (folder / "manifest.json").write_text(json.dumps(MANIFEST | {"tables": ["evaluation.csv"]}))
    return folder


def write_information(folder: Path) -> Path:
    """Write the CSV of ``gradflow information``."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [(name, name.count("+") + 1, value, 0.001, 4 * value, 0.003, int(name == "1+2"))
            for name, value in zip(SUBSETS, INFORMATION, strict=True)]  # fmt: skip
    columns = ["set", "size", "modified", "modified_se", "standard", "standard_se", "best"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "information.csv", index=False)
    return folder


def write_benchmarks(folder: Path) -> Path:
    """Write results of the benchmarks: two methods with both gradients, one solve stopped, one extrapolated."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = "peer solver gradient jacobian event_errors rtol rate rate_is_share status seconds distance_max".split()
    rows = [("gradflow", "BDF", "own", "exact", "False", 1e-4, None, "False", "finished", 0.2, 1e-3),
            ("gradflow", "BDF", "own", "exact", "False", 1e-6, None, "False", "finished", 0.3, 1e-5),
            ("diffrax", "Tsit5", "compressed", "", "False", 1e-4, None, "False", "finished", 4.0, 2e-3),
            ("diffrax", "Tsit5", "compressed", "", "False", 1e-6, None, "False", "finished", 8.0, 2e-5),
            ("diffrax", "Tsit5", "dense", "", "False", 1e-4, None, "False", "finished", 400.0, 2e-3),
            ("diffrax", "Tsit5", "dense", "", "False", 1e-6, None, "False", "limit", 600.0, None),
            ("SciPy", "BDF", "compressed", "differences", "False", 1e-6, None, "False", "finished", 9.0, 1e-5),
            ("PyTorch", "descent", "compressed", "", "False", None, 1.0, "False", "finished", 50.0, 1e-1),
            ("PyTorch", "descent", "dense", "", "False", None, 1.0, "False", "extrapolated", 36000.0, None)]  # fmt: skip
    pd.DataFrame(rows, columns=columns).to_csv(folder / "peers.csv", index=False)
    gradients = [("10⁴ sequences of 100, d = 3, M = 5, H = 3, D = 2, α = 0.1", "gradflow", "finished", 0.3, 0.2),
                 ("10⁴ sequences of 100, d = 3, M = 5, H = 3, D = 2, α = 0.1", "JAX dense", "finished", 260.0, 230.0),
                 ("10⁴ sequences of 100, d = 3, M = 5, H = 3, D = 2, α = 0.1", "PyTorch", "failed", None, None)]  # fmt: skip
    columns = "objective program status milliseconds fastest_milliseconds".split()
    pd.DataFrame(gradients, columns=columns).to_csv(folder / "gradients.csv", index=False)
    (folder / "machine.json").write_text(json.dumps({"limit": 600}))
    return folder

"""How well the flow was solved: work and failures of each stage, and the laws that the exact flow obeys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from ..run import inner_runs
from ..sweep import Sweep
from .markup import Html, columns, join, note, number, plural, real, span, table, tag, verdict
from .subject import Subject

#: So many runs inside a folder are opened for their statistics at most.
MOST_OPENED = 2000

#: Statistics of the manifest and what they are called.
_WORK = {
    "steps": "steps",
    "derivative_evaluations": "gradients",
    "jacobian_evaluations": "Hessians",
    "jacobian_vector_products": "Hessian products",
    "error_test_failures": "error test failures",
    "corrector_failures": "corrector failures",
    "linear_failures": "linear failures",
    "non_finite_evaluations": "not finite",
}
_ALWAYS = ("steps", "derivative_evaluations", "jacobian_evaluations", "error_test_failures")


def solver_section(subject: Subject) -> Html:
    """Return the work of each stage and the checks of laws; of many runs, how they spread."""
    parts = [_stages(subject), _laws(subject)]
    if isinstance(subject.source, Sweep):
        parts.append(_spread(subject))
    found = [part for part in parts if part]
    return join(found, "\n") if found else note("Nothing was integrated here.")


def _stages(subject: Subject) -> Html:
    stages = subject.manifest.get("stages") or []
    if not stages:
        return Html("")
    statistics = [stage.get("statistics") or {} for stage in stages]
    shown = [key for key in _WORK if key in _ALWAYS or any(real(one.get(key)) > 0 for one in statistics)]
    rows = []
    for stage, work in zip(stages, statistics, strict=True):
        rows.append([
            stage.get("name", ""), ", ".join(stage.get("trained_groups", [])),
            span(number(stage.get("t_start")), "…", number(stage.get("t_end"))),
            *(number(work.get(key), 10) for key in shown),
            span(number(work.get("loss_at_start"), 8), "→", number(work.get("loss_at_end"), 8)),
            number(work.get("gradient_norm_at_end"), 3), stage.get("ending") or "running",
        ])  # fmt: skip
    if len(stages) > 1:
        rows.append([tag("b", "all"), "", "", *(number(sum(_known(one.get(key)) for one in statistics), 10)
                                                for key in shown), "", "", ""])  # fmt: skip
    work = "|".join(_WORK[key] for key in shown)
    ends = "loss|final ‖∇L‖"
    heads = columns(f"stage|trains|t|{work}|{ends}|ended by", f"{work}|{ends}|t")
    return table(heads, rows, "The solver's work in each stage")


def _laws(subject: Subject) -> Html:
    laws = subject.manifest.get("laws") or []
    if not laws:
        return Html("")
    is_flow = subject.manifest.get("tables") is None
    rows = []
    for law in laws:
        limit = real(law.get("limit"))
        is_checked = limit < float("inf")
        rows.append([
            law.get("name", ""), number(real(law.get("value")), 3), number(limit, 3) if is_checked else "–",
            verdict("holds" if law.get("passed") else "BROKEN") if is_checked else "–", law.get("explanation", ""),
        ])  # fmt: skip
    broken = sum(real(law.get("limit")) < float("inf") and not law.get("passed") for law in laws)
    parts: list[object] = [tag("h4", "Laws of the exact flow" if is_flow else "Bounds")]
    if broken:
        parts.append(tag("p", f"{plural(broken, 'law')} broken: the tolerances do not resolve this flow.", class_="banner"))
    parts.append(table(columns("law|value|limit|verdict|what is measured", "value|limit"), rows, "Laws", is_cards=True))
    return join(parts, "\n")


def _spread(subject: Subject) -> Html:
    """Smallest, median and largest of what every run says of its solver."""
    sweep = subject.source
    assert isinstance(sweep, Sweep)
    runs = sweep.runs
    kept = {
        "steps": "steps",
        "error_test_failures": "error test failures",
        "linear_failures": "linear failures",
        "gradient_norm": "final ‖∇L‖",
        "loss": "final loss",
    }
    if "steps" not in runs.columns:
        opened = _opened(subject.path)
        places = runs["path"] if "path" in runs.columns else pd.Series("", index=runs.index)
        runs = runs.join(pd.DataFrame([opened.get(str(place), {}) for place in places], index=runs.index))
        kept = {"steps": "steps", "derivative_evaluations": "gradients", "jacobian_evaluations": "Hessians", **kept}
    rows = []
    for key, name in kept.items():
        values = pd.to_numeric(runs[key], errors="coerce").dropna() if key in runs.columns else pd.Series(dtype=float)
        if len(values):
            rows.append([name, *(number(value, 4) for value in (values.min(), values.median(), values.max())), len(values)])
    parts: list[object] = []
    if rows:
        parts.append(table(columns("of every run|smallest|median|largest|runs", "smallest|median|largest|runs"), rows,
                           "The solver's work over all runs"))  # fmt: skip
    if "laws_hold" in runs.columns:
        broken = runs[runs["laws_hold"] == "no"]
        holding = int((runs["laws_hold"] == "yes").sum())
        sentence = f"All laws of the exact flow hold in {holding} of {plural(len(runs), 'run')}"
        parts.append(tag("p", verdict("BROKEN" if len(broken) else "holds"), f" — {sentence}."))
        if len(broken):
            named = ", ".join(str(flow) for flow in broken["flow"].head(40))
            parts.append(note(f"Broken in the flows {named}{' …' if len(broken) > 40 else ''}."))
    return join(parts, "\n")


def _opened(folder: Path) -> dict[str, dict[str, Any]]:
    """Run inside → sums of the statistics of all its stages, and whether its laws hold."""
    found = {}
    for run in inner_runs(folder)[:MOST_OPENED]:
        try:
            manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
            statistics = [stage["statistics"] for stage in manifest["stages"]]
            laws = manifest["laws"]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        sums = {key: sum(_known(one.get(key)) for one in statistics) for key in _WORK if key != "linear_failures"}
        place = run.relative_to(folder).as_posix()
        found[place] = sums | {"laws_hold": "yes" if all(law.get("passed") for law in laws) else "no"}
    return found


def _known(value: object) -> float:
    found = real(value)
    return found if found == found else 0.0

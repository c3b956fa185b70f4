"""What else a folder holds, as tables: the grid of a sweep, training beside the flow, losses, fixed points, informations."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from ..benchmarks import Benchmarks
from ..generalisation import Evaluation
from ..information import Information, measure_of, with_best
from ..plane import Plane
from ..run import Run
from ..sweep import Sweep
from .claims import MOST_LINES
from .markup import Html, columns, details, join, listing, note, number, plural, plus_minus, real, table, tag, verdict
from .origin import shell_word
from .subject import Subject
from .symbols import quantity_text

#: A table with more lines than this is closed until it is opened.
_MOST_OPEN = 16


def grid_section(sweep: Sweep, prefix: str, subject: Subject) -> Html:
    """Return the axes of a sweep, how its runs stand, and the runs one by one."""
    parts: list[object] = []
    axes = []
    for axis in sweep.axes:
        values = [number(value) if not isinstance(value, str) else value for value in axis.values]
        shown = ", ".join(values) if len(values) <= 8 else f"{values[0]} … {values[-1]}"
        axes.append([tag("code", axis.key), shown, len(values), {"log": "logarithmic"}.get(axis.scale, axis.scale)])
    if axes:
        parts.append(table(columns("key|values|how many|spacing", "how many"), axes, "Axes", is_cards=True))
    counts = sweep.runs["status"].value_counts()
    total = max(int((sweep.manifest.get("flows") or {}).get("total", 0)), len(sweep.runs))
    censored = int(sweep.events["censored"].sum()) if not sweep.events.empty else 0
    parts.append(listing([
        ("runs", total),
        *((str(status), int(count)) for status, count in sorted(counts.items(), key=lambda one: str(one[0]))),
        ("without a line", total - len(sweep.runs) or ""),
        ("events", len(sweep.events)),
        ("not reached", f"{censored}: their times are lower bounds" if censored else "0"),
    ]))  # fmt: skip
    parts.append(_runs(sweep, prefix, subject))
    return join(parts, "\n")


def _runs(sweep: Sweep, prefix: str, subject: Subject) -> Html:
    known = "leader leading_share a p1 p v1 v k loss gradient_norm".split()
    kept = [name for name in known if name in sweep.runs.columns]
    has_replicates = sweep.runs["replicate"].nunique() > 1
    runs = sweep.runs
    if len(runs) > MOST_LINES:  # what failed is looked for first
        runs = runs.assign(_whole=runs["status"] == "finished").sort_values("_whole", kind="stable")
    links = {str(one.path.relative_to(subject.path)): f"{prefix}-{at}" for at, one in enumerate(subject.inner, 1)}
    rows: list[list[object]] = []
    for row in runs.head(MOST_LINES).to_dict("records"):
        target = links.get(str(row.get("path", "")))
        flow: object = number(row["flow"])
        rows.append([
            tag("a", flow, href=f"#{target}") if target else flow,
            *([number(row["replicate"])] if has_replicates else []),
            *(row[key] if isinstance(row[key], str) else number(row[key]) for key in sweep.keys),
            verdict(row["status"]), *(_cell(name, row[name]) for name in kept), _message(row.get("message")),
        ])  # fmt: skip
    heads = ["flow", *(["replicate"] if has_replicates else []), *sweep.keys, "status", *map(quantity_text, kept), "message"]
    numbers = [name for name in heads if name not in ("status", quantity_text("leader"), "message")]
    whole: object = table(columns("|".join(heads), "|".join(numbers)), rows, "Runs")
    if len(runs) > MOST_LINES:
        whole = join([whole, note(f"The first {MOST_LINES} of {len(runs)}, those first that did not finish.")])
    folders = sorted((subject.path / "flows").glob("*/manifest.json"))
    hint = note("A page of one of them: ", tag("code", f"gradflow report {shell_word(folders[0].parent)}")) if folders else ""
    if len(runs) <= _MOST_OPEN:
        return join([whole, hint])
    return details(f"All {plural(len(runs), 'run')} one by one", whole, hint)


def _cell(name: str, value: Any) -> str:
    return value if isinstance(value, str) else number(value, 8 if name == "loss" else 5)


def _message(value: Any) -> str:
    return value if isinstance(value, str) else ""


def more_sections(subject: Subject) -> list[tuple[str, str, Html]]:
    """Return what only some kinds of folders hold: an anchor, a heading and its content each."""
    match subject.source:
        case Run() as run:
            found = []
            if run.training:
                found.append(("training", "Training beside the flow", _training(run)))
            if run.evaluation is not None:
                found.append(("losses", "Fresh data", _losses(run.evaluation)))
            return found
        case Plane() as plane:
            return [("points", "Fixed points", _points(plane))]
        case Evaluation() as evaluation:
            return [("losses", "Fresh data", _losses(evaluation.table))]
        case Information() as information:
            return [("sets", "Sets of lags", _sets(information.table))]
        case Benchmarks() as benchmarks:
            return [("measurements", "Measurements", _measurements(benchmarks))]
        case _:
            return []


def _training(run: Run) -> Html:
    rows = []
    for name, steps in run.training.items():
        distance, sharpness = _farthest(run.distances, name)
        rows.append([
            name, number(steps["step"].groupby(steps["stage"]).max().sum() if len(steps) else 0, 10),
            number(distance, 3), number(sharpness, 3), number(steps["loss"].iloc[-1], 7) if len(steps) else "–",
        ])  # fmt: skip
    heads = columns("optimiser|steps|distance / path|λ_max / limit|loss at end",
                    "steps|distance / path|λ_max / limit|loss at end")  # fmt: skip
    parts: list[object] = [table(heads, rows, "Discrete optimisers beside the flow", is_cards=True)]
    if run.convergence is not None and not run.convergence.empty:
        rows = [
            [f"{number(row['factor'])} η", number(row["steps"], 10), verdict(row["status"]),
             number(row["distance_over_path"], 3), number(row["order"], 4), number(row["sharpness_share"], 3)]
            for row in run.convergence.to_dict("records")
        ]  # fmt: skip
        heads = columns("rate|steps|status|distance / path|order|λ_max / limit",
                        "rate|steps|distance / path|order|λ_max / limit")  # fmt: skip
        parts += [tag("h4", "Gradient descent at several rates"), table(heads, rows, "Convergence", is_cards=True)]
    parts.append(note("Distance: the largest from the flow at the same time, over the length of the flow's path. λ_max: the "
                      "largest over its limit of stability; where it exceeds 1, steps overshoot."))  # fmt: skip
    return join(parts, "\n")


def _farthest(distances: pd.DataFrame | None, name: str) -> tuple[float, float]:
    """The largest distance of an optimiser from the flow, over the length of the whole path, and of sharpness over limit."""
    columns_wanted = {"optimizer", "distance", "relative_distance", "sharpness", "stability_limit"}
    if distances is None or not columns_wanted <= set(distances.columns):
        return math.nan, math.nan
    rows = distances[distances["optimizer"] == name]
    path = (rows["distance"] / rows["relative_distance"]).max()  # the length up to a row is largest at the end
    return float(rows["distance"].max() / path), float((rows["sharpness"] / rows["stability_limit"]).max())


def _losses(losses: pd.DataFrame) -> Html:
    """Losses above the true kernel's: a line for each prior and length, a column for each predictor."""
    names = [str(name) for name in dict.fromkeys(losses["predictor"])]
    rows = []
    for (alpha, length), group in losses.groupby(["concentration", "length"], dropna=False, sort=False):
        cells = {row["predictor"]: row for row in group.to_dict("records")}
        rows.append([
            "one kernel" if pd.isna(alpha) else number(alpha), number(length),
            *(plus_minus(number(cells[name]["loss"], 5), 2 * real(cells[name]["loss_se"])) if name in cells else "–"
              for name in names),
        ])  # fmt: skip
    heads = columns("|".join(["α", "length", *names]), "|".join(["α", "length", *names]))
    whole = join([table(heads, rows, "Mean losses"), note("Mean losses in nats, ± two standard errors.")])
    return whole if len(rows) <= _MOST_OPEN else details(f"Mean losses, {plural(len(rows), 'line')}", whole, is_open=False)


def _points(plane: Plane) -> Html:
    if plane.fixed_points.empty:
        return note("None was found in the plane.")
    values = [name for name in plane.fixed_points.columns if name.startswith("eigenvalue.")]
    rows = [
        [row["kind"], number(row["x"]), number(row["y"]), number(row.get("loss"), 8), number(row.get("gradient_norm"), 3),
         ", ".join(number(row[name], 4) for name in values if math.isfinite(real(row[name])))]
        for row in plane.fixed_points.to_dict("records")
    ]  # fmt: skip
    numbers = f"{plane.names[0]}|{plane.names[1]}|loss|‖∇L‖"
    heads = columns(f"kind|{plane.names[0]}|{plane.names[1]}|loss|‖∇L‖|eigenvalues of the Hessian", numbers)
    paths = plural(plane.paths["path"].nunique(), "path")
    return join([table(heads, rows, "Fixed points", is_cards=True),
                 note(f"{plural(len(plane.field), 'node')} of the field, {paths}.")], "\n")  # fmt: skip


def _sets(sets: pd.DataFrame) -> Html:
    measure = measure_of(sets)
    label = {"modified": "modified Ĩ", "logits": "for logits G"}[measure]
    rows = [
        [f"{{{str(row['set']).replace('+', ',')}}}" if row["set"] != "0" else "∅",
         plus_minus(number(row[measure], 6), 2 * real(row[f"{measure}_se"])),
         plus_minus(number(row["standard"], 6), 2 * real(row["standard_se"])),
         tag("b", "S*") if row["best"] == 1 else ""]
        for row in with_best(sets, sets.index[:MOST_LINES]).to_dict("records")
    ]  # fmt: skip
    heads = columns(f"set|{label}|standard I|largest {label.split()[-1]}", f"{label}|standard I")
    return join([table(heads, rows, "Informations", is_cards=True), note("± two standard errors.")])


def _measurements(benchmarks: Benchmarks) -> Html:
    machine = {name: value for name, value in benchmarks.machine.items() if isinstance(value, str | int | float)}
    rows = [
        [row["objective"], row["program"], row["status"], number(row["milliseconds"], 4)]
        for row in benchmarks.gradients.head(MOST_LINES).to_dict("records")
    ]  # fmt: skip
    heads = columns("objective|program|status|milliseconds", "milliseconds")
    gradients = table(heads, rows, "Gradients", is_cards=True)
    return join([
        listing((name.replace("_", " "), str(value)) for name, value in machine.items()),
        details(f"The time of one gradient, {plural(len(rows), 'measurement')}", gradients),
    ], "\n")  # fmt: skip

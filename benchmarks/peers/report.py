"""Results as files, and as tables for people."""

from __future__ import annotations

import csv
import itertools
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .machine import write_json

Record = dict[str, Any]

#: The columns of ``peers.csv``; one more per stage follows: the distance at its end.
COLUMNS = (
    "peer solver gradient jacobian event_errors rtol atol rate rate_is_share status seconds"
    " fastest_seconds repetitions compile_seconds prepare_seconds steps evaluations jacobians"
    " distance_max distance_end relative_max relative_end reached_t limit other_cores note"
).split()
GRADIENT_COLUMNS = (
    "objective program status milliseconds fastest_milliseconds rounds compile_seconds other_cores note"
).split()
#: What ratios refer to.
BASIS = "gradflow"
#: The distances at which times are compared.
TARGETS = (1e-4, 1e-6)
#: The tolerance at which times are compared.
SHOWN_RTOL = 1e-6


def write_results(folder: Path, records: list[Record], gradients: list[Record], machine: Record) -> None:
    """Write ``peers.csv``, ``gradients.csv`` and ``machine.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    stages = [
        name
        for name in dict.fromkeys(key for record in records for key in record)
        if name.startswith("distance_") and name not in COLUMNS
    ]
    write_table(folder / "peers.csv", [*COLUMNS, *stages], records)
    write_table(folder / "gradients.csv", GRADIENT_COLUMNS, gradients)
    write_json(folder / "machine.json", machine)


def write_table(path: Path, columns: Sequence[str], records: list[Record]) -> None:
    """Write some columns of records; what a record does not have stays empty."""
    aside = path.with_name(path.name + ".tmp")
    with aside.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)
    aside.replace(path)


def read_records(folder: Path) -> tuple[list[Record], list[Record], Record]:
    """Read what ``write_results`` wrote: cases with their ``method`` and ``setting``, gradients, machine."""
    from .cases import Case

    with (folder / "peers.csv").open(encoding="utf-8", newline="") as file:
        records = [_typed(row) for row in csv.DictReader(file)]
    fields = Case.__dataclass_fields__
    for record in records:
        given = {k: v for k, v in record.items() if k in fields and v is not None}
        case = Case(**{"jacobian": "", **given})
        record |= {"method": case.method, "setting": case.setting}
    with (folder / "gradients.csv").open(encoding="utf-8", newline="") as file:
        gradients = [_typed(row) for row in csv.DictReader(file)]
    return records, gradients, json.loads((folder / "machine.json").read_text(encoding="utf-8"))


def _typed(row: dict[str, str]) -> Record:
    """Return a row with numbers and truth values in the place of their texts."""
    return {name: _value(text) for name, text in row.items()}


def _value(text: str) -> Any:
    if text in ("True", "False"):
        return text == "True"
    try:
        return float(text)
    except ValueError:
        return text or None


def seconds_at(records: list[Record], target: float) -> float | None:
    """Return the time in which a method comes as close as ``target``, interpolated in logarithms.

    Between the two neighbouring settings, of those that no other setting beats in both time and distance.
    Where even the fastest is closer, its time; where none is as close, None.
    """
    points = sorted(
        (r["distance_max"], r["seconds"])
        for r in records
        if r["status"] == "finished" and r["distance_max"] > 0
    )
    front = [p for p in points if not any(q != p and q[0] <= p[0] and q[1] <= p[1] for q in points)]
    if front and target > front[-1][0]:
        return front[-1][1]
    for (near, slow), (far, fast) in itertools.pairwise(front):
        if near <= target <= far:
            part = math.log(target / near) / math.log(far / near)
            return math.exp(math.log(slow) + part * math.log(fast / slow))
    return None


def by_method(records: list[Record]) -> dict[str, list[Record]]:
    """Return the records of each method, in the order of their first appearance."""
    methods: dict[str, list[Record]] = {}
    for record in records:
        methods.setdefault(record["method"], []).append(record)
    return methods


def summary(records: list[Record], gradients: list[Record], machine: Record) -> str:
    """Return the tables that end a run."""
    parts = [machine_lines(machine)]
    if records:
        parts += [solve_table(records), descent_table(records), footnotes(records, machine)]
    if gradients:
        parts.append(gradient_tables(gradients))
    parts.append(load_note([*records, *gradients]))
    return "\n\n".join(part for part in parts if part)


def machine_lines(machine: Record) -> str:
    """Return where and with what was measured."""
    packages = ", ".join(f"{k} {v}" for k, v in machine.get("packages", {}).items())
    return (
        f"{machine.get('processor')}, {machine.get('cores')} cores, {machine.get('threads')} threads each;"
        f" {machine.get('date')}\n{packages}"
    )


def solve_table(records: list[Record]) -> str:
    """Return per method: time and distance at one tolerance, time at equal distances, and ratios."""
    methods = {m: r for m, r in by_method(records).items() if r[0]["rtol"] is not None}
    basis = methods.get(BASIS, [])
    header = ["three stages", f"rtol {SHOWN_RTOL:.0e}", "×", "distance", "gradients", "compile"]
    for target in TARGETS:
        header += [f"to {target:.0e}", "×"]
    rows = [header]
    basis_seconds = next((_seconds(r) for r in basis if _is_shown(r)), None)
    for method, measured in methods.items():
        shown = next((r for r in measured if _is_shown(r)), None)
        row = [method]
        if shown is None:
            row += ["", "", "", "", ""]
        else:
            finished = shown["status"] == "finished"
            row += [
                time_text(shown),
                ratio(_seconds(shown), basis_seconds, bound=not finished),
                f"{shown['distance_max']:.0e}" if finished else "",
                f"{int(shown['evaluations'])}" if finished and shown.get("evaluations") else "",
                f"{shown['compile_seconds']:.0f} s" if shown.get("compile_seconds") else "",
            ]
        for target in TARGETS:
            seconds, own = seconds_at(measured, target), seconds_at(basis, target)
            row += [duration(seconds), ratio(seconds, own)]
        rows.append(row)
    return layout(rows)


def descent_table(records: list[Record]) -> str:
    """Return what gradient descent takes."""
    rows = [["gradient descent", "learning rate", "steps", "time", "per step", "distance"]]
    for record in records:
        if record["rtol"] is not None or record["status"] in ("failed", "not run"):
            continue
        steps = int(record["steps"] or 0)
        rows.append(
            [
                record["method"],
                record["setting"].removeprefix("rate "),
                f"{steps}",
                time_text(record),
                f"{1e3 * record['seconds'] / steps:.3g} ms" if steps else "",
                f"{record['distance_max']:.0e}" if record.get("distance_max") else "",
            ]
        )
    return layout(rows) if len(rows) > 1 else ""


def gradient_tables(gradients: list[Record]) -> str:
    """Return one table per objective."""
    tables = []
    for objective in dict.fromkeys(record["objective"] for record in gradients):
        chosen = [record for record in gradients if record["objective"] == objective]
        own = next((r.get("milliseconds") for r in chosen if r["program"] == BASIS), None)
        rows = [[f"loss and gradient, {objective}", "median", "×", "fastest"]]
        for record in chosen:
            if record.get("milliseconds"):
                rows.append(
                    [
                        record["program"],
                        f"{record['milliseconds']:.3g} ms",
                        ratio(record["milliseconds"], own),
                        f"{record['fastest_milliseconds']:.3g} ms",
                    ]
                )
            else:
                rows.append([record["program"], record["status"], "", ""])
        tables.append(layout(rows))
    return "\n\n".join(tables)


def footnotes(records: list[Record], machine: Record) -> str:
    """Return what the table means, and what failed."""
    lines = [
        "Times of gradflow are of the whole process: sampling, compressing, solving, writing. Times of the",
        "others are of the solve alone; compiling is shown apart. × is against gradflow without error bars.",
        "Distance: the largest over all sample times and parameters, to gradflow at rtol 1e-11. >: stopped.",
    ]
    reference = machine.get("checks", {}).get("reference", {})
    if reference:
        independent = machine["checks"]["independent"]
        lines.append(
            f"The reference changes by {reference['distance_max']:.0e} at rtol 1e-12, and is"
            f" {independent['distance_max']:.0e} from SciPy's DOP853."
        )
    failed = [r for r in records if r["status"] == "failed"]
    lines += [f"failed: {r['method']}, {r['setting']}: {r['note']}" for r in failed]
    return "\n".join(lines)


def load_note(records: list[Record]) -> str:
    """Return a warning when other processes disturbed the measurements."""
    loads = [r["other_cores"] for r in records if r.get("other_cores") is not None]
    busy = sum(load > 0.2 for load in loads)
    if not busy:
        return ""
    return (
        f"note: during {busy} of {len(loads)} measurements other processes kept more than 0.2 cores busy"
        f" (up to {max(loads):.1f}); repeat on an idle machine."
    )


def _is_shown(record: Record) -> bool:
    return math.isclose(record["rtol"], SHOWN_RTOL)


def _seconds(record: Record) -> float | None:
    return record["seconds"] if record["status"] in ("finished", "limit", "not run") else None


def time_text(record: Record) -> str:
    """Return the time of a record, marked where it is a bound or extrapolated."""
    if record["status"] == "failed":
        return "failed"
    sign = {"finished": "", "extrapolated": "~ "}.get(record["status"], "> ")
    return sign + duration(record["seconds"])


def duration(seconds: float | None) -> str:
    """Return seconds, or hours where there are many."""
    if seconds is None:
        return "–"
    if seconds >= 7200:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds:.0f} s" if seconds >= 100 else f"{seconds:.3g} s"


def ratio(value: float | None, basis: float | None, *, bound: bool = False) -> str:
    """Return value/basis."""
    if value is None or basis is None:
        return ""
    number = value / basis
    return ("> " if bound else "") + (f"{number:.0f}" if number >= 10 else f"{number:.2g}")


def layout(rows: list[list[str]]) -> str:
    """Return rows as aligned columns, the first to the left and the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)

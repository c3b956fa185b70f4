"""The work-precision figure: time against distance, a line per method."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
from gradflow_plots import style
from gradflow_plots.saving import save_figure
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from .report import by_method

Record = dict[str, Any]

#: Colours say who integrates, dashes how the gradient is computed, markers which method.
COLOURS = {
    "gradflow": style.BLACK,
    "scikit-SUNDAE": style.BLUE,
    "diffrax": style.VERMILION,
    "SciPy": style.GREEN,
    "torchdiffeq": style.PURPLE,
    "PyTorch": style.ORANGE,
}
MARKERS = {
    ("scikit-SUNDAE", "BDF"): "s",
    ("diffrax", "Kvaerno3"): "v",
    ("diffrax", "Kvaerno5"): "D",
    ("diffrax", "Tsit5"): "^",
    ("SciPy", "BDF"): "s",
    ("SciPy", "LSODA"): "P",
    ("torchdiffeq", "dopri5"): "X",
    ("PyTorch", "descent"): "*",
}
#: What is drawn of methods that come with and without an exact Jacobian: the exact ones.
HIDDEN_JACOBIAN = "differences"


def work_precision(records: list[Record], limit: float) -> Figure:
    """Draw seconds over the largest distance to the reference.

    A solve that was stopped at the limit stands on the line of the limit with an arrow. What has no distance
    of its own, because it was stopped or extrapolated, stands at the one that the same solver reached at the
    same setting with the other gradient, which is equal up to rounding; without such a one it is left out.
    """
    with mpl.rc_context(style.complete()):
        figure = Figure(figsize=(7, 4.6), layout="constrained")
        axes = figure.add_subplot()
        methods = {
            name: rows for name, rows in by_method(records).items() if rows[0]["jacobian"] != HIDDEN_JACOBIAN
        }
        distance = _distances(records)
        stopped = False
        for name, rows in methods.items():
            stopped |= _draw(axes, name, rows, distance)
        axes.set(xscale="log", yscale="log")
        axes.set_xlabel("largest distance to the reference, over all samples and parameters")
        axes.set_ylabel("seconds for the three stages")
        if stopped:
            axes.axhline(limit, color=style.GREY, linewidth=0.6, zorder=0)
            axes.annotate(
                f"stopped after {limit:g} s",
                (1, limit),
                xycoords=("axes fraction", "data"),
                xytext=(0, 2),
                textcoords="offset points",
                ha="right",
                va="bottom",
                color=style.GREY,
                fontsize=6.5,
            )
        notes = ["lower right is better"]
        if any(record["status"] == "extrapolated" for record in records):
            notes.append("×: extrapolated from the time per step")
        if stopped or len(notes) > 1:
            notes += ["both, and ↑, at the distance that the same", "method came to with the other gradient"]
        axes.text(
            0.98, 0.98, "\n".join(notes), transform=axes.transAxes, fontsize=6.5, color=style.GREY,
            ha="right", va="top",
        )  # fmt: skip
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(LogLocator(numticks=20))
            axis.set_minor_formatter(NullFormatter())
        axes.grid(True, which="major", color="#E5E5E5", linewidth=0.5)
        axes.set_axisbelow(True)
        axes.invert_xaxis()
        figure.legend(loc="outside right center", fontsize=6.5, labelspacing=0.5)
        return figure


def _draw(axes: Axes, name: str, rows: list[Record], distance: dict[Any, float]) -> bool:
    """Draw one method; tell whether something of it was stopped."""
    peer, gradient = rows[0]["peer"], rows[0]["gradient"]
    points = []
    for row in rows:
        x = row.get("distance_max") or distance.get(_companion(row))
        if x and row["status"] in ("finished", "extrapolated", "limit"):
            points.append((x, row["seconds"], row["status"]))
    if not points:
        return False
    colour, is_own = COLOURS[peer], peer == "gradflow"
    dashes = (0, (4, 2)) if gradient == "dense" else "-"
    if is_own and rows[0]["event_errors"]:
        dashes = (0, (1, 1.2))
    marker = "o" if is_own else MARKERS[peer, rows[0]["solver"]]
    axes.plot(
        [x for x, _, _ in points],
        [y for _, y, _ in points],
        color=colour,
        linestyle=dashes,
        linewidth=1.8 if is_own else 1.0,
        marker=marker,
        markersize=4.5 if is_own else 4,
        markerfacecolor=colour if gradient != "dense" else "white",
        label=name.replace(", Hessian", ", exact Hessian").replace("error bars", "bars of event times"),
        zorder=3 if is_own else 2,
    )
    guessed = [(x, y) for x, y, status in points if status == "extrapolated"]
    if guessed:
        axes.plot(*zip(*guessed, strict=True), "x", color="black", markersize=6, zorder=4)
    stopped = [(x, y) for x, y, status in points if status == "limit"]
    for x, y in stopped:
        axes.annotate(
            "",
            (x, y),
            xytext=(0, 13),
            textcoords="offset points",
            arrowprops={"arrowstyle": "<-", "color": colour, "linewidth": 0.9},
        )
    return bool(stopped)


def _companion(row: Record) -> tuple[Any, ...]:
    """Return what a case has in common with the same one with another gradient."""
    return row["peer"], row["solver"], row["jacobian"], row["rtol"], row["rate"], row["rate_is_share"]


def _distances(records: list[Record]) -> dict[Any, float]:
    return {_companion(r): r["distance_max"] for r in records if r.get("distance_max")}


def save(records: list[Record], limit: float, path: Path) -> Path:
    """Write the figure."""
    return save_figure(work_precision(records, limit), path)

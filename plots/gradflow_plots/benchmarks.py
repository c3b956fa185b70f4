"""Time against distance, and the speed of single gradients, from the results of the benchmarks."""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from . import style
from .tables import RunError, read_table

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
_TEXTS = "peer solver gradient jacobian event_errors rate_is_share objective program".split()
_PEERS = "peer solver gradient jacobian event_errors rtol status seconds distance_max".split()
_GRADIENTS = "objective program status milliseconds fastest_milliseconds".split()
#: What a solve has in common with the same one with another gradient.
_SAME = ["peer", "solver", "jacobian", "rtol", "rate", "rate_is_share"]


@dataclass(frozen=True)
class Benchmarks:
    """The results of ``make bench``: one row per solve, one per gradient."""

    path: Path
    peers: pd.DataFrame
    gradients: pd.DataFrame
    machine: dict[str, Any]


def is_benchmarks(path: str | Path) -> bool:
    """Whether a folder holds the results of the benchmarks."""
    return (Path(path) / "peers.csv").is_file()


def load_benchmarks(path: str | Path) -> Benchmarks:
    """Read ``peers.csv``, ``gradients.csv`` and ``machine.json``; raise ``RunError`` if one is missing."""
    folder = Path(path)
    for name in ("peers.csv", "gradients.csv", "machine.json"):
        if not (folder / name).is_file():
            raise RunError(f"{folder}: no {name}; make bench writes the results of the benchmarks.")
    try:
        machine = json.loads((folder / "machine.json").read_text(encoding="utf-8"))
    except ValueError as error:
        raise RunError(f"{folder / 'machine.json'}: cannot be read: {error}.") from error
    return Benchmarks(
        folder,
        read_table(folder / "peers.csv", _PEERS, texts=_TEXTS),
        read_table(folder / "gradients.csv", _GRADIENTS, texts=_TEXTS),
        machine,
    )


def work_precision(benchmarks: Benchmarks) -> Figure:
    """Draw seconds for the three stages over the largest distance to the reference, a line per method.

    Of methods with and without an exact Jacobian the exact ones are drawn. A solve that was stopped at the limit has
    an arrow. What was stopped or extrapolated has no distance of its own, and stands at the one that the same solver
    came to with the other gradient, which is equal up to rounding; without such a one it is left out.
    """
    table = placed(benchmarks.peers)
    limit = float(benchmarks.machine.get("limit", 0))
    with mpl.rc_context(style.complete()):
        figure = Figure(figsize=(style.PAGE, 4.2), layout="constrained")
        axes = figure.add_subplot(label="work-precision")
        for name, rows in table.groupby("method", sort=False):
            _draw_method(axes, str(name), rows)
        axes.set(xscale="log", yscale="log")
        axes.set_xlabel(r"largest distance $\|\theta-\theta_{\mathrm{ref}}\|$ to the reference")
        axes.set_ylabel("time for the three stages (s)")
        if limit and (table["status"] == "limit").any():
            axes.axhline(limit, color=style.GREY, linewidth=0.6, zorder=0)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(LogLocator(numticks=20))
            axis.set_minor_formatter(NullFormatter())
        axes.grid(True, which="major", color=style.GRID, linewidth=0.5)
        axes.set_axisbelow(True)
        axes.invert_xaxis()
        handles = axes.get_legend_handles_labels()[0]
        if limit and (table["status"] == "limit").any():
            handles.append(Line2D([], [], color=style.GREY, linewidth=0.6, label=f"↑ stopped after {limit:g} s"))
        if (table["status"] == "extrapolated").any():
            handles.append(Line2D([], [], linestyle="", marker="x", color=style.BLACK, label="extrapolated"))
        figure.legend(handles=handles, loc="outside right center", fontsize=6.5, labelspacing=0.5,
                      title="lower right is better", title_fontsize=6.5)  # fmt: skip
    return figure


def placed(peers: pd.DataFrame) -> pd.DataFrame:
    """The solves that are drawn, with their ``method`` and the ``distance`` at which they stand."""
    for name in ("rate", "rate_is_share"):
        if name not in peers:
            peers = peers.assign(**{name: ""})
    keys = pd.Series([str(tuple(row)) for row in peers[_SAME].itertuples(index=False)], peers.index)
    known = dict(zip(keys[peers["distance_max"] > 0], peers["distance_max"][peers["distance_max"] > 0], strict=True))
    distance = peers["distance_max"].where(peers["distance_max"] > 0, keys.map(known).astype("float64"))
    table = peers.assign(distance=distance, method=[_method(row) for _, row in peers.iterrows()])
    shown = table["status"].isin(["finished", "extrapolated", "limit"]) & (table["jacobian"] != "differences")
    return table[shown & table["distance"].notna()]


def _method(row: pd.Series) -> str:
    if row["peer"] == "gradflow":
        return "gradflow, with bars of event times" if row["event_errors"] == "True" else "gradflow"
    exact = ", exact Hessian" if row["jacobian"] == "exact" else ""
    return f"{row['peer']} {row['solver']}, {row['gradient']}{exact}"


def _draw_method(axes: Axes, name: str, rows: pd.DataFrame) -> None:
    first = rows.iloc[0]
    colour = COLOURS.get(first["peer"], style.GREY)
    is_own, is_dense = first["peer"] == "gradflow", first["gradient"] == "dense"
    dashes: Any = (0, (4, 2)) if is_dense else "-"
    if is_own and first["event_errors"] == "True":
        dashes = (0, (1, 1.2))
    axes.plot(
        rows["distance"], rows["seconds"], color=colour, linestyle=dashes, linewidth=1.8 if is_own else 1.0,
        marker="o" if is_own else MARKERS.get((first["peer"], first["solver"]), "o"), markersize=4.5 if is_own else 4,
        markerfacecolor=style.PAPER if is_dense else colour, label=name, zorder=3 if is_own else 2,
    )  # fmt: skip
    guessed = rows[rows["status"] == "extrapolated"]
    axes.plot(guessed["distance"], guessed["seconds"], "x", color=style.BLACK, markersize=6, zorder=4, label="_guessed")
    for row in rows[rows["status"] == "limit"].itertuples():
        axes.annotate("", (row.distance, row.seconds), xytext=(0, 13), textcoords="offset points",
                      arrowprops={"arrowstyle": "<-", "color": colour, "linewidth": 0.9})  # fmt: skip


def gradient_speed(benchmarks: Benchmarks) -> Figure:
    """Draw the median time of one gradient by program, one group of marks per objective, on a log scale."""
    table = benchmarks.gradients
    table = table[(table["status"] == "finished") & (table["milliseconds"] > 0)]
    if table.empty:
        raise RunError(f"{benchmarks.path / 'gradients.csv'}: no gradient was measured to its end.")
    groups = list(table.groupby("objective", sort=False))
    heights = [len(rows) for _, rows in groups]
    with mpl.rc_context(style.complete()):
        figure = Figure(figsize=(style.COLUMN, 0.5 + 0.2 * sum(heights) + 0.32 * len(groups)), layout="constrained")
        panels = figure.subplots(len(groups), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
        for axes, (name, rows) in zip(panels, groups, strict=True):
            own = rows["program"].str.startswith("gradflow").to_numpy()
            for place, (value, is_own) in enumerate(zip(rows["milliseconds"], own, strict=True)):
                axes.plot([value], [place], "o" if is_own else "D", color=style.BLUE if is_own else style.GREY,
                          markersize=6 if is_own else 4, label="_gradflow" if is_own else "_other")  # fmt: skip
                axes.annotate(f"{value:.3g}", (value, place), xytext=(5, 0), textcoords="offset points", va="center",
                              fontsize=6.5)  # fmt: skip
            axes.grid(axis="both", color=style.GRID, linewidth=0.5)
            axes.set_axisbelow(True)
            axes.set_ylim(-0.6, len(rows) - 0.4)
            axes.set_yticks(range(len(rows)), rows["program"])
            axes.invert_yaxis()
            axes.set_xscale("log")
            axes.margins(x=0.17)
            axes.tick_params(axis="y", length=0)
            axes.set_title(textwrap.fill(str(name).replace(" = ", "\u00a0=\u00a0"), 36), loc="left", fontsize=6.5)
            axes.set_ylabel("program")
            axes.set_label(str(name))
        panels[-1].set_xlabel("one gradient (ms)")
        figure.align_ylabels(panels)
    return figure

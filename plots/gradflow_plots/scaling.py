"""When the comparison of tokens emerges, over length and size of the start, beside the derived time."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from . import style
from .scales import log_ticks, number_text
from .sweep import Sweep
from .tables import RunError

LENGTH, START, PROPORTION, WEIGHT = "data.length", "initial.sigma", "target.proportion", "target.weight"
_TEXTS = {LENGTH: "L", START: r"\sigma", PROPORTION: r"\alpha_\ast", WEIGHT: r"w_\ast"}


def has_emergence(sweep: Sweep) -> bool:
    """Whether events of emergence were located over lengths and sizes of the start."""
    return {LENGTH, START} <= set(sweep.keys) and "emergence" in set(sweep.events["name"])


def emergence_scaling(sweep: Sweep) -> Figure:
    """Draw T over L and T/N over 1/σ for each α*, at the middle of what else was swept, and T over its law for all.

    Dashed is the derived time (M4). Error bars are those of the located events.
    """
    if not has_emergence(sweep):
        raise RunError(f"{sweep.path}: no emergence over {LENGTH} and {START}; run experiments/emergence-scaling.yaml.")
    table = emergence_times(sweep)
    fixed = {axis.key: axis.values[(len(axis.values) - 1) // 2] for axis in sweep.axes if axis.key in _TEXTS}
    with mpl.rc_context(style.complete()):
        figure = Figure(figsize=(style.PAGE, 2.75), layout="constrained")
        figure.get_layout_engine().set(wspace=0.06)
        lengths, starts, ratios = figure.subplots(1, 3)
        _draw_family(lengths, table, fixed, over=LENGTH)
        lengths.set(xscale="log", yscale="log", xlabel="length $L$ (tokens)", ylabel="time of emergence $T$")
        _draw_family(starts, table.assign(t=table["t"] / table["terms"], error=table["error"] / table["terms"],
                                          derived=table["derived"] / table["terms"]), fixed, over=START)  # fmt: skip
        starts.set(xscale="log", xlabel=r"size of the start $\sigma$", ylabel=r"$T/N$, $N=L-2$")
        starts.set_ylim(0, None)
        _draw_ratios(ratios, table)
        for axes in (lengths, starts, ratios):
            log_ticks(axes.xaxis)
        log_ticks(lengths.yaxis)
        for axes, over in ((lengths, LENGTH), (starts, START)):
            others = [f"${_TEXTS[key]}={number_text(value)}$" for key, value in fixed.items()
                      if key not in (over, PROPORTION)]  # fmt: skip
            axes.set_title(", ".join(others), loc="left", fontsize=7)
        ratios.set_title(r"all runs, side by side for each $w_\ast$", loc="left", fontsize=7)
        _add_keys(figure, table)
    return figure


def emergence_times(sweep: Sweep) -> pd.DataFrame:
    """One row per run that reached emergence: swept values, ``terms`` N = L − 2, ``t``, ``error``, ``derived``."""
    events = sweep.event("emergence")
    events = events[~events["censored"]]
    claims = sweep.claims
    laws = claims[(claims["claim"] == "M4") & (claims["statement"] == "T of emergence")]
    laws = laws[["flow", "replicate", "derived"]].dropna().astype({"flow": "int64", "replicate": "int64"})
    table = events.merge(laws, on=["flow", "replicate"], how="left")
    for key in (PROPORTION, WEIGHT):
        if key not in table.columns:
            table[key] = 0.0
    return table.assign(terms=table[LENGTH] - 2, error=table["t_error"].fillna(0))


def _look(index: int) -> dict[str, Any]:
    return {"color": style.PALETTE[index % len(style.PALETTE)], "marker": style.MARKERS[index % len(style.MARKERS)]}


def _draw_family(axes: Axes, table: pd.DataFrame, fixed: dict[str, Any], over: str) -> None:
    axes.set_label(over)
    for index, proportion in enumerate(sorted(table[PROPORTION].unique())):
        rows = table[table[PROPORTION] == proportion]
        for key, value in fixed.items():
            if key not in (over, PROPORTION):
                rows = rows[rows[key] == value]
        rows = rows.sort_values(over)
        axes.errorbar(rows[over], rows["t"], yerr=rows["error"], linestyle="", markersize=4, **_look(index))
        axes.plot(rows[over], rows["derived"], **style.DERIVED, label="_derived")


def _draw_ratios(axes: Axes, table: pd.DataFrame) -> None:
    axes.set_label("ratio")
    axes.axhline(1, **style.DERIVED)
    starts = np.sort(table[START].unique())
    for index, weight in enumerate(sorted(table[WEIGHT].unique())):
        rows = table[table[WEIGHT] == weight]
        # Beside each other, or one would hide the others.
        shift = (starts[-1] / starts[0]) ** (0.03 * (index - (table[WEIGHT].nunique() - 1) / 2))
        axes.plot(
            rows[START] * shift, rows["t"] / rows["derived"], linestyle="", markersize=3, alpha=0.8,
            color=style.PALETTE[(index + 2) % len(style.PALETTE)], marker=style.MARKERS[(index + 3) % 8],
            label=rf"$w_\ast={weight:g}$",
        )  # fmt: skip
    axes.set(xscale="log", xlabel=r"size of the start $\sigma$", ylabel="$T$ measured / derived")


def _add_keys(figure: Figure, table: pd.DataFrame) -> None:
    proportions = sorted(table[PROPORTION].unique())
    first = [
        Line2D([], [], linestyle="", markersize=4, label=rf"$\alpha_\ast={value:g}$", **_look(index))
        for index, value in enumerate(proportions)
    ]
    first.append(Line2D([], [], **style.DERIVED, label="derived"))
    second = [line for line in figure.axes[2].lines if not str(line.get_label()).startswith("_")]
    handles = [*first, *(Line2D([], [], linestyle="", color=line.get_color(), marker=line.get_marker(), markersize=3.5,
                                label=str(line.get_label())) for line in second)]  # fmt: skip
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), columnspacing=1.2)

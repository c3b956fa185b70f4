"""Clocks, limits, titles and legends of the panels."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter, NullLocator

from . import style
from .run import Run, Stage

_ROMAN = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X"]


def set_clock(axes: Axes, run: Run, stage: Stage) -> None:
    """Use a log clock from the decade in which something first moves visibly."""
    samples = run.samples(stage)
    clock = samples["clock"].to_numpy()
    positive = clock[clock > 0]
    if not len(positive):
        axes.set_xscale("log")
        axes.set_xlim(0.1, 10)
        return
    first, last = positive[0], positive[-1]
    shown = [
        name
        for name in run.trajectory.columns
        if name in ("a", "loss", "k", "v", "v1") or name.startswith(("share.", "attention."))
    ]
    begin = last
    for name in shown:
        whole = run.trajectory[name]
        spread = whole.max() - whole.min()
        values = samples[name].to_numpy()
        moved = clock[np.abs(values - values[0]) > 0.01 * spread]
        if len(moved):
            begin = min(begin, moved[0])
    events = run.reached(stage)["clock"]
    if (events > 0).any():
        begin = min(begin, events[events > 0].min())
    # Half a decade of rest before, at least three decades in all.
    begin = min(begin / 3, last / 1e3)
    axes.set_xscale("log")
    axes.set_xlim(max(10 ** math.floor(math.log10(begin)), first), last)
    axes.xaxis.set_major_locator(LogLocator(numticks=5))
    axes.xaxis.set_minor_locator(LogLocator(subs="auto", numticks=12))
    axes.xaxis.set_minor_formatter(NullFormatter())


def write_title(axes: Axes, index: int, stage: Stage) -> None:
    number = _ROMAN[index] if index < len(_ROMAN) else str(index + 1)
    axes.set_title(f"{number}  {stage.name}", fontweight="bold", loc="left", pad=13)
    trained = ", ".join(f"${group[0]}_1$" if group.endswith("1") else f"${group}$" for group in stage.trained)
    end = f"until $t = {number_text(stage.end)}$"
    axes.annotate(
        f"trains {trained} {end}" if trained else end,
        (0, 1),
        xycoords="axes fraction",
        xytext=(0, 4),
        textcoords="offset points",
        color=style.GREY,
        fontsize=7,
    )


def clock_label(stage: Stage) -> str:
    return "time $t$" if stage.start == 0 else f"time $t - {number_text(stage.start)}$"


def number_text(value: float) -> str:
    """Return three digits, as powers of ten where that is shorter."""
    if 1e-2 <= abs(value) < 1e4 or value == 0:
        return f"{float(f'{value:.3g}'):g}"
    power = math.floor(math.log10(abs(value)))
    mantissa = f"{value / 10**power:.3g}"
    return ("" if mantissa == "1" else rf"{mantissa} \cdot ") + f"10^{{{power}}}"


def level_limits(axes_row: list[Axes]) -> None:
    """Leave some air above and below; on log axes show whole powers only."""
    axes = axes_row[0]
    if axes.get_yscale() == "log":
        values = np.concatenate([line.get_ydata() for one in axes_row for line in one.lines])
        values = values[np.isfinite(values) & (values > 0)]
        if len(values):
            # Twelve decades at most: below is round-off.
            high = values.max()
            low = max(values.min(), high * 1e-12)
            axes.set_ylim(low / 2, high * 2)
        axes.yaxis.set_major_locator(LogLocator(numticks=4))
        axes.yaxis.set_minor_locator(NullLocator())
    elif axes.get_label() in ("a", "loss"):
        values = np.concatenate([line.get_ydata() for one in axes_row for line in one.lines])
        low, high = np.nanmin(values), np.nanmax(values)
        margin = 0.06 * (high - low or 1)
        axes.set_ylim(low - margin, high + margin)


def add_legend(axes: Axes, lines: Iterable[Line2D]) -> None:
    handles = [line for line in lines if not str(line.get_label()).startswith("_")]
    if len(handles) > 1:
        axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.05, 1.0))

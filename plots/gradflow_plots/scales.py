"""Clocks, limits, titles and legends of the panels."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter, NullLocator

from . import style
from .run import Run, Stage

_ROMAN = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X"]


def set_clock(axes: Axes, run: Run, stage: Stage, *, whole: bool = False) -> None:
    """Use a log clock from the decade in which something first moves visibly, or from the first step."""
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
        values = run.trajectory[name]
        spread = values.max() - values.min()
        values = samples[name].to_numpy()
        moved = clock[np.abs(values - values[0]) > 0.01 * spread]
        if len(moved):
            begin = min(begin, moved[0])
    events = run.reached(stage)["clock"]
    if (events > 0).any():
        begin = min(begin, events[events > 0].min())
    # Half a decade of rest before, at least three decades in all.
    begin = max(10 ** math.floor(math.log10(min(begin / 3, last / 1e3))), first)
    steps = run.steps[run.steps["stage"] == stage.name]["t"] - stage.start
    if whole and (steps > 0).any():
        begin = 10 ** math.floor(math.log10(min(steps[steps > 0].min(), last / 10)))
    axes.set_xscale("log")
    axes.set_xlim(begin, last)
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
    """Return whole numbers below 10⁴ as they are, others to three digits, as powers of ten where that is shorter."""
    if float(value).is_integer() and abs(value) < 1e4:
        return f"{value:.0f}"
    if 1e-2 <= abs(value) < 1e4 or value == 0:
        return f"{float(f'{value:.3g}'):g}"
    power = math.floor(math.log10(abs(value)))
    mantissa = f"{value / 10**power:.3g}"
    return ("" if mantissa == "1" else rf"{mantissa} \cdot ") + f"10^{{{power}}}"


def level_limits(axes_row: list[Axes], decades: int = 12) -> None:
    """Leave some air above and below; on log axes show whole powers only."""
    axes = axes_row[0]
    if axes.get_yscale() == "log":
        lines = [line for one in axes_row for line in one.lines if line.get_label() not in ("_event", "_derived")]
        values = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in lines])
        values = values[np.isfinite(values) & (values > 0)]
        if len(values):
            high = values.max()
            low = max(values.min(), high * 10.0**-decades)
            axes.set_ylim(low / 2, high * 2)
        axes.yaxis.set_major_locator(LogLocator(numticks=4))
        axes.yaxis.set_minor_locator(NullLocator())
    elif axes.get_label() in ("a", "loss"):
        values = np.concatenate([line.get_ydata() for one in axes_row for line in one.lines])
        low, high = np.nanmin(values), np.nanmax(values)
        margin = 0.06 * (high - low or 1)
        axes.set_ylim(low - margin, high + margin)


def thousands(axis: Axis, last: float) -> str:
    """Write the ticks of a linear axis up to ``last`` in units of a power of a thousand; return it for the label."""
    power = 3 * math.floor(math.log10(last) / 3) if last > 0 else 0
    if power == 0:
        return ""
    axis.set_major_formatter(lambda value, _: f"{value / 10**power:g}")
    return rf" / $10^{{{power}}}$"


def log_ticks(axis: Axis, count: int = 5) -> None:
    """Mark whole powers only, at most ``count`` of them by name."""
    axis.set_major_locator(LogLocator(numticks=count))
    axis.set_minor_locator(LogLocator(subs="auto", numticks=12))
    axis.set_minor_formatter(NullFormatter())


def legend_below(axes: Axes, columns: int, **options: Any) -> None:
    """Put the legend under the axis label, where no data can be."""
    axes.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, -0.3),
        ncols=columns,
        **{"fontsize": 6.5, "columnspacing": 1.0, "borderaxespad": 0, "alignment": "left", **options},
    )


def add_legend(axes: Axes, lines: Iterable[Line2D]) -> None:
    handles = [line for line in lines if not str(line.get_label()).startswith("_")]
    if len(handles) > 1:
        figure = axes.get_figure()
        width = axes.get_position().width * figure.get_figwidth()
        axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1 + 0.1 / width, 1.0))

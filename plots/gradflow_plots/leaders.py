"""Which set of lags is selected over two swept keys."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from . import style
from .grid import KEYS, plane_axes
from .names import set_text
from .sweep import Axis, Sweep
from .tables import RunError


def has_leaders(sweep: Sweep) -> bool:
    """Whether two keys were swept and the set selected differs, or few values make cells large enough for words."""
    axes = plane_axes(sweep)
    return len(axes) == 2 and "leader" in sweep.runs and all(len(axis.values) <= 12 for axis in axes)


def leader_diagram(sweep: Sweep) -> Figure:
    """Draw which set was selected over two swept keys, with its mean share; where replicates differ cells are hatched."""
    axes = plane_axes(sweep)
    if len(axes) != 2 or "leader" not in sweep.runs:
        raise RunError(f"{sweep.path}: a diagram of the selected sets needs two swept keys and a column leader.")
    runs = sweep.runs[sweep.runs["status"] == "finished"]
    table = runs.groupby([axis.key for axis in axes]).agg(
        leader=("leader", lambda names: names.mode().iloc[0]),
        sets=("leader", "nunique"),
        share=("leading_share", "mean"),
    )
    sets = sorted(table["leader"].unique(), key=lambda name: (len(name), name))
    colours = [_pale(style.PALETTE[number % len(style.PALETTE)]) for number in range(len(sets))]
    x, y = (np.arange(len(axis.values) + 1) - 0.5 for axis in axes)
    grid = np.full((len(y) - 1, len(x) - 1), np.nan)
    with mpl.rc_context(style.complete()):
        figure = Figure(figsize=(style.COLUMN, 0.95 + 0.42 * len(axes[1].values)), layout="constrained")
        panel = figure.add_subplot(label="leader")
        for place, leader, count, share in zip(table.index, *(table[name] for name in table), strict=True):
            i, j = (axis.values.index(value) for axis, value in zip(axes, place, strict=True))
            grid[j, i] = sets.index(leader)
            differs = count > 1
            if differs:
                panel.fill_between([i - 0.5, i + 0.5], j - 0.5, j + 0.5, facecolor="none", hatch="////",
                                   edgecolor=style.GREY, linewidth=0, label="differs")  # fmt: skip
            box = {"facecolor": colours[sets.index(leader)], "edgecolor": "none", "pad": 1.5} if differs else None
            text = f"{set_text(leader.strip('{}').replace(',', '+') or '0')}\n{share:.2f}"
            panel.text(i, j, text, ha="center", va="center", fontsize=6.5, color="#010101", bbox=box)
        panel.pcolormesh(x, y, np.ma.masked_invalid(grid), cmap=ListedColormap(colours), vmin=-0.5,
                         vmax=len(sets) - 0.5, edgecolors=style.PAPER, linewidth=1.0, zorder=0)  # fmt: skip
        for axis, target in zip(axes, (panel.xaxis, panel.yaxis), strict=True):
            texts = [str(value) if axis.scale == "category" else f"{value:.3g}" for value in axis.values]
            target.set_ticks(range(len(axis.values)), texts)
            target.set_label_text(" = ".join(KEYS.get(key, key) for key in _same(sweep, axis)))
        panel.tick_params(length=0)
        panel.spines[["left", "bottom"]].set_visible(False)
        panel.set_title("the set selected, and its mean share", loc="left", fontsize=7)
        if (table["sets"] > 1).any():
            key = Patch(facecolor="none", edgecolor=style.GREY, hatch="////", linewidth=0.5, label="data sets differ")
            figure.legend(handles=[key], loc="outside lower center")
    return figure


def _same(sweep: Sweep, axis: Axis) -> list[str]:
    """The key of an axis, and those that always have its value."""
    others = [other.key for other in sweep.axes if other.key != axis.key and other.scale != "category"]
    return [axis.key, *(key for key in others if (sweep.runs[key] == sweep.runs[axis.key]).all())]


def _pale(colour: str) -> tuple[float, ...]:
    """A colour light enough for black words on it."""
    return tuple(0.55 + 0.45 * part for part in mpl.colors.to_rgb(colour))

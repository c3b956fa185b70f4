"""Which set of lags is selected over two swept keys."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
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
    """Draw which set was selected over two swept keys, and the mean share of what led.

    Where replicates differ cells are hatched and say how many selected each set; where no set has most of them they are white.
    """
    axes = plane_axes(sweep)
    if len(axes) != 2 or "leader" not in sweep.runs:
        raise RunError(f"{sweep.path}: a diagram of the selected sets needs two swept keys and a column leader.")
    runs = sweep.runs[(sweep.runs["status"] == "finished") & (sweep.runs["leader"] != "")]
    groups = runs.groupby([axis.key for axis in axes])
    table = groups["leading_share"].mean()
    counts = {place: rows["leader"].value_counts().sort_index(kind="stable") for place, rows in groups}
    won = {place: _winner(count) for place, count in counts.items()}
    sets = sorted({winner for winner in won.values() if winner}, key=lambda name: (len(name), name))
    colours = [_pale(style.PALETTE[number % len(style.PALETTE)]) for number in range(len(sets))]
    x, y = (np.arange(len(axis.values) + 1) - 0.5 for axis in axes)
    grid = np.full((len(y) - 1, len(x) - 1), np.nan)
    with mpl.rc_context(style.complete()):
        figure = Figure(figsize=(style.COLUMN, 0.95 + 0.42 * len(axes[1].values)), layout="constrained")
        panel = figure.add_subplot(label="leader")
        for place, share in table.items():
            i, j = (axis.values.index(value) for axis, value in zip(axes, place, strict=True))
            winner, count = won[place], counts[place]
            if winner:
                grid[j, i] = sets.index(winner)
            if len(count) > 1:
                panel.fill_between([i - 0.5, i + 0.5], j - 0.5, j + 0.5, facecolor="none", hatch="////",
                                   edgecolor=style.GREY, linewidth=0, label="differs")  # fmt: skip
            box = {"facecolor": colours[sets.index(winner)] if winner else style.PAPER, "edgecolor": "none", "pad": 1.5}
            panel.text(i, j, _cell_text(count, share), ha="center", va="center", fontsize=6.5, color="#010101" if winner else style.BLACK,
                       bbox=box if len(count) > 1 else None)  # fmt: skip
        panel.pcolormesh(x, y, np.ma.masked_invalid(grid), cmap=ListedColormap(colours), vmin=-0.5,
                         vmax=len(sets) - 0.5, edgecolors=style.PAPER, linewidth=1.0, zorder=0)  # fmt: skip
        for axis, target in zip(axes, (panel.xaxis, panel.yaxis), strict=True):
            texts = [str(value) if axis.scale == "category" else f"{value:.3g}" for value in axis.values]
            target.set_ticks(range(len(axis.values)), texts)
            target.set_label_text(" = ".join(KEYS.get(key, key) for key in _same(sweep, axis)))
        panel.tick_params(length=0)
        panel.spines[["left", "bottom"]].set_visible(False)
        panel.set_title("the set selected, and the mean share", loc="left", fontsize=7)
        if any(len(count) > 1 for count in counts.values()):
            key = Patch(facecolor="none", edgecolor=style.GREY, hatch="////", linewidth=0.5, label="data sets differ")
            figure.legend(handles=[key], loc="outside lower center")
    return figure


def _winner(counts: pd.Series) -> str:
    """The set that most replicates selected; nothing where several did equally often."""
    most = counts[counts == counts.max()]
    return str(most.index[0]) if len(most) == 1 else ""


def _cell_text(counts: pd.Series, share: float) -> str:
    """The sets by how often they were selected, two of them at most, and the mean share."""
    names = [set_text(str(name).strip("{}").replace(",", "+") or "0") for name in counts.index]
    if len(counts) > 1:
        order = (-counts.to_numpy()).argsort(kind="stable")
        names = [f"{counts.iloc[at]}× {names[at]}" for at in order][:2] + (["…"] if len(counts) > 2 else [])
    return "\n".join([*names, f"{share:.2f}"])


def _same(sweep: Sweep, axis: Axis) -> list[str]:
    """The key of an axis, and those that always have its value."""
    others = [other.key for other in sweep.axes if other.key != axis.key and other.scale != "category"]
    return [axis.key, *(key for key in others if (sweep.runs[key] == sweep.runs[axis.key]).all())]


def _pale(colour: str) -> tuple[float, ...]:
    """A colour light enough for black words on it."""
    return tuple(0.55 + 0.45 * part for part in mpl.colors.to_rgb(colour))

"""Phase diagrams: when something happens over two swept keys, with what was not reached marked."""

from __future__ import annotations

import math

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from . import style
from .events import event_text
from .grid import edges, plane_axes, set_axes
from .sweep import Axis, Sweep
from .tables import RunError

#: Times are colours that are dark to bright in every kind of sight, and in grey.
COLOURS = "viridis"
MOST_PANELS = 6
#: The largest ratio of times that a linear scale shows better.
NARROW = 3

#: What stands alone above a panel, where in a strip of events it would follow from those beside it.
_TITLES = {
    "emergence": r"emergence: $L_{\mathrm{IH}}$ at 1/2 plateau",
    "convergence": r"convergence: $L_{\mathrm{IH}}$ at 1 %",
    "partial-learning": r"partial learning: $L_{\mathrm{G4}}$ at 1 %",
}


def has_times(sweep: Sweep) -> bool:
    """Whether two keys were swept over grids that times of events can be drawn on."""
    axes = plane_axes(sweep)
    return len(axes) == 2 and all(axis.scale != "category" and len(axis.values) > 3 for axis in axes)


def phase_diagram(sweep: Sweep, events: list[str] | None = None) -> Figure:
    """Draw the time of each event over two swept keys, on the clock of its stage, which starts at 0.

    Hatched cells are censored: the event was not reached by the end of the stage in some replicate, so that the time
    is a lower bound. Dotted ones have it where the stage starts. Cells without a finished run are crossed. Several replicates are a geometric mean. ``events``
    names what is drawn; by default whatever happens in at least a tenth of the runs.
    """
    axes = plane_axes(sweep)
    if len(axes) != 2:
        names = ", ".join(axis.key for axis in axes)
        raise RunError(f"{sweep.path}: a phase diagram needs two swept keys; here {names or 'none'} vary.")
    names = _shown(sweep) if events is None else events
    tables = [cells(sweep, name, axes) for name in names]
    if not tables:
        raise RunError(f"{sweep.path}: no event is reached in a tenth of the runs, so there is nothing to draw.")
    columns = min(3, len(tables)) if len(tables) != 4 else 2
    rows = math.ceil(len(tables) / columns)
    with mpl.rc_context(style.complete()):
        width = style.COLUMN if columns == 1 else style.PAGE
        figure = Figure(figsize=(width, 0.35 + rows * (2.5 if columns < 3 else 2.15)), layout="constrained")
        panels = figure.subplots(rows, columns, squeeze=False)
        for index, panel in enumerate(panels.flat):
            if index >= len(tables):
                panel.remove()
                continue
            panel.set_label(names[index])
            _draw_times(figure, panel, tables[index], axes)
            complete = sweep.settings.get("events.complete_share", "")
            panel.set_title(_TITLES.get(names[index]) or event_text(names[index], complete), loc="left")
            set_axes(panel, axes, is_low=index + columns >= len(tables), is_left=index % columns == 0)
        _add_key(figure, tables)
    return figure


def cells(sweep: Sweep, name: str, axes: list[Axis]) -> pd.DataFrame:
    """One row per cell of the grid: the time of an event, whether it is ``censored``, and whether a run ``stands``.

    The geometric mean of replicates is 0 where the event is ``at_start`` in one of them.
    """
    rows = sweep.event(name)
    time = "clock" if rows["clock"].notna().any() else "t"
    keys = [axis.key for axis in axes]
    with np.errstate(divide="ignore"):  # exp(−∞) is the 0 that is meant
        grouped = rows.assign(log=np.log(rows[time].where(rows[time] >= 0))).groupby(keys)
    table = pd.DataFrame({"t": np.exp(grouped["log"].mean()), "censored": grouped["censored"].any()})
    whole = pd.MultiIndex.from_product([axis.values for axis in axes], names=keys)
    table = table.reindex(whole)
    table["stands"] = table["t"].notna()
    return table.assign(censored=table["censored"].eq(True), at_start=table["t"].eq(0)).reset_index()


def _shown(sweep: Sweep) -> list[str]:
    runs = len(sweep.runs)
    reached = sweep.events[~sweep.events["censored"]].groupby("name", sort=False).size()
    order = [name for name in dict.fromkeys(sweep.events["name"]) if reached.get(name, 0) >= 0.1 * runs]
    return order[:MOST_PANELS]


def _draw_times(figure: Figure, panel: Axes, table: pd.DataFrame, axes: list[Axis]) -> None:
    x, y = (edges(axis) for axis in axes)
    grid = table.pivot(index=axes[1].key, columns=axes[0].key, values="t").to_numpy()
    seen = grid[np.isfinite(grid)]
    if len(seen):
        later = seen[seen > 0]
        low, high = (later.min(), later.max()) if len(later) else (1.0, 1.0)  # at the start is the smallest colour
        norm = LogNorm(low, high) if high / low > NARROW else Normalize(*_limits(low, high))
        mesh = panel.pcolormesh(x, y, np.ma.masked_invalid(np.maximum(grid, low)), norm=norm, cmap=COLOURS, rasterized=True)
        bar = figure.colorbar(mesh, ax=panel, pad=0.02, fraction=0.06)
        bar.set_label("time $t$")
        bar.outline.set_linewidth(0.4)
        if NARROW < high / low < 30:
            bar.ax.yaxis.set_minor_formatter(lambda value, _: _short(value, low, high))
        bar.ax.tick_params(which="both", labelsize=6.5)
    for column, hatch in (("censored", "/////"), ("at_start", "...."), ("stands", "xxxx")):
        marked = table[table[column] == (column != "stands")]
        if len(marked):
            panel.add_collection(_hatched(marked, axes, x, y, hatch, column))


def _limits(low: float, high: float) -> tuple[float, float]:
    """The ends of the colours: times that hardly differ have colours that hardly differ."""
    room = max(0.0, 0.05 * high - (high - low) / 2)
    return low - room, high + room


def _short(value: float, low: float, high: float) -> str:
    """Name the first, second and fifth minor ticks where an axis has hardly a power of ten."""
    leading = value / 10 ** math.floor(math.log10(value) + 1e-9)
    if not low <= value <= high or round(leading, 6) not in (2, 5):
        return ""
    power = math.floor(math.log10(value) + 1e-9)
    return rf"${round(leading)}\cdot 10^{{{power}}}$"


def _hatched(
    rows: pd.DataFrame, axes: list[Axis], x: np.ndarray, y: np.ndarray, hatch: str, label: str
) -> PolyCollection:
    boxes = []
    for at_x, at_y in zip(rows[axes[0].key], rows[axes[1].key], strict=True):
        i, j = axes[0].values.index(at_x), axes[1].values.index(at_y)
        boxes.append([(x[i], y[j]), (x[i + 1], y[j]), (x[i + 1], y[j + 1]), (x[i], y[j + 1])])
    return PolyCollection(
        boxes, facecolor="none", edgecolor=style.BLACK, hatchcolor=style.BLACK, linewidth=0, hatch=hatch, label=label
    )


def _add_key(figure: Figure, tables: list[pd.DataFrame]) -> None:
    handles = []
    if any(table["censored"].any() for table in tables):
        text = "not reached in the stage: a lower bound"
        handles.append(Patch(facecolor="none", edgecolor=style.BLACK, hatch="/////", linewidth=0.5, label=text))
    if any(table["at_start"].any() for table in tables):
        text = "where the stage starts"
        handles.append(Patch(facecolor="none", edgecolor=style.BLACK, hatch="....", linewidth=0.5, label=text))
    if any(not table["stands"].all() for table in tables):
        handles.append(Patch(facecolor="none", edgecolor=style.BLACK, hatch="xxxx", linewidth=0.5, label="no time"))
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), handleheight=1.2)

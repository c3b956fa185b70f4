"""The plane of two swept keys: which they are, the edges of their cells, and how the axes are named."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes

from .scales import log_ticks
from .sweep import Axis, Sweep

KEYS = {
    "data.concentration": r"concentration $\alpha$",
    "data.length": "length $L$ (tokens)",
    "initial.scale": "scale at the start $a(0)$",
    "initial.sigma": r"size of the start $\sigma$",
    "target.proportion": r"proportion $\alpha_\ast$",
    "target.weight": r"weight $w_\ast$",
    "model.degree": "degree $D$",
    "model.window": "window $M$ (lags)",
    "model.heads": "heads $H$",
}


def plane_axes(sweep: Sweep) -> list[Axis]:
    """The axes with several values; of those that vary together the first."""
    axes: list[Axis] = []
    for axis in sweep.axes:
        if len(axis.values) < 2:
            continue
        pairs = (sweep.runs.groupby(other.key)[axis.key].nunique().max() for other in axes)
        if all(count > 1 for count in pairs):
            axes.append(axis)
    return axes


def edges(axis: Axis) -> np.ndarray:
    """The boundaries of the cells around the values of an axis."""
    values = np.asarray(axis.values, dtype=float)
    if axis.scale == "log":
        values = np.log(values)
    middle = (values[1:] + values[:-1]) / 2
    bounds = np.concatenate([[2 * values[0] - middle[0]], middle, [2 * values[-1] - middle[-1]]])
    return np.exp(bounds) if axis.scale == "log" else bounds


def set_axes(panel: Axes, axes: list[Axis], *, is_low: bool = True, is_left: bool = True) -> None:
    """Scale and name the axes of a panel; inner ones have no names."""
    for axis, target, bounds, is_outer in (
        (axes[0], panel.xaxis, edges(axes[0]), is_low),
        (axes[1], panel.yaxis, edges(axes[1]), is_left),
    ):
        if axis.scale == "log":
            (panel.set_xscale if target is panel.xaxis else panel.set_yscale)("log")
            log_ticks(target)
            if bounds[-1] / bounds[0] < 100:
                target.set_major_formatter(lambda value, _: f"{value:g}")
                target.set_minor_formatter(lambda value, _, b=bounds: _plain(value, b))
        elif len(axis.values) <= 12:
            target.set_ticks([float(value) for value in axis.values], [f"{value:g}" for value in axis.values])
        (panel.set_xlim if target is panel.xaxis else panel.set_ylim)(bounds[0], bounds[-1])
        if is_outer:
            target.set_label_text(KEYS.get(axis.key, axis.key))
    panel.tick_params(which="both", labelbottom=is_low, labelleft=is_left)


def _plain(value: float, bounds: np.ndarray) -> str:
    if not bounds[0] <= value <= bounds[-1]:
        return ""
    leading = value / 10 ** math.floor(math.log10(value) + 1e-9)
    return f"{value:g}" if round(leading, 6) in (2, 5) else ""

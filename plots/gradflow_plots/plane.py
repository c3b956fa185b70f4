"""Phase planes: vector field, nullclines, fixed points and paths."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from . import style
from .names import set_text
from .run import read_manifest
from .tables import RunError, read_settings, read_table

_COLUMNS = {
    "field.csv": ["x", "y", "dx", "dy", "loss", "gradient_norm"],
    "nullclines.csv": ["of", "curve", "x", "y"],
    "fixed_points.csv": ["x", "y", "kind"],
    "paths.csv": ["path", "t", "x", "y"],
}

#: How each kind of fixed point is drawn: marker, and whether it is filled.
_KINDS = {
    "minimum": ("o", True),
    "saddle": ("D", False),
    "maximum": ("o", False),
    "degenerate": ("s", False),
}


#: From nothing to grey, so that it shades a dark page as well as a light one.
SHADE = ListedColormap([(0.4, 0.4, 0.4, 0.42 * step / 255) for step in range(256)], "shade")


@dataclass(frozen=True)
class Plane:
    """What a run of ``gradflow phase-plane`` holds."""

    path: Path
    #: The coordinates of the axes.
    names: tuple[str, str]
    field: pd.DataFrame
    nullclines: pd.DataFrame
    fixed_points: pd.DataFrame
    paths: pd.DataFrame

    def grid(self, column: str) -> np.ndarray:
        """A column of the field as an array, one row for each y."""
        return self.field.pivot(index="y", columns="x", values=column).to_numpy()


def is_plane(path: str | Path) -> bool:
    """Whether a folder holds the tables of a phase plane."""
    return (Path(path) / "field.csv").is_file()


def load_plane(path: str | Path) -> Plane:
    """Read the run directory of a phase plane; raise ``RunError`` if it is missing, damaged or not finished."""
    folder = Path(path)
    manifest = read_manifest(folder)
    state = manifest["status"]["state"]
    if state != "finished":
        raise RunError(f"{folder}: the run is {state}, so its tables are not complete.")
    tables = {}
    for name, columns in _COLUMNS.items():
        tables[name.removesuffix(".csv")] = read_table(folder / name, columns)
    return Plane(path=folder, names=_axis_names(folder / "experiment.yaml"), **tables)


def phase_portrait(plane: Plane) -> Figure:
    """Draw the loss as shade, the field as streamlines, nullclines, paths, and fixed points by their kind."""
    with mpl.rc_context(style.complete()):
        figure = Figure(figsize=(style.COLUMN, 3.3), layout="constrained")
        axes = figure.add_subplot()
        x = np.unique(plane.field["x"])
        y = np.unique(plane.field["y"])
        if plane.field["dx"].notna().sum() == 0:
            raise RunError(f"{plane.path / 'field.csv'}: no node has a flow, so there is nothing to draw.")
        _draw_speed(figure, axes, plane, x, y)
        _draw_field(axes, plane, x, y)
        _draw_paths(axes, plane, (x[-1] - x[0], y[-1] - y[0]))
        _draw_nullclines(axes, plane)
        _draw_fixed_points(axes, plane)
        axes.set_xlim(x[0], x[-1])
        axes.set_ylim(y[0], y[-1])
        axes.set_xlabel(coordinate_text(plane.names[0]))
        axes.set_ylabel(coordinate_text(plane.names[1]))
        _add_key(axes, plane)
    return figure


def coordinate_text(name: str) -> str:
    """What a coordinate is called on an axis."""
    head, _, rest = name.partition(".")
    if head == "share":
        return f"share of {set_text(rest)}"
    if head == "gap":
        return f"lead of head {rest}'s own lag"
    known = {"wk": "w_K", "wq": "w_Q", "v1": "v_1", "p1": "p_1"}
    subscript = "{" + rest.replace(".", ",") + "}"
    return f"${known.get(head, head)}_{subscript}$" if rest else f"${known.get(head, head)}$"


def _axis_names(experiment: Path) -> tuple[str, str]:
    """The values of ``plane.x`` and ``plane.y`` in a resolved experiment."""
    settings = read_settings(experiment)
    if not {"plane.x", "plane.y"} <= set(settings):
        raise RunError(f"{experiment}: no plane.x and plane.y, so this is no phase plane.")
    return settings["plane.x"], settings["plane.y"]


def _draw_speed(figure: Figure, axes: Axes, plane: Plane, x: np.ndarray, y: np.ndarray) -> None:
    slope = np.ma.masked_invalid(plane.grid("gradient_norm"))
    positive = slope[slope > 0].compressed()
    if not len(positive):
        return
    high = positive.max()
    # Three decades tell fast from slow; at fixed points the slope is 0.
    low = max(positive.min(), high * 1e-3)
    if low >= high:
        low = high / 10
    mesh = axes.pcolormesh(
        x,
        y,
        np.ma.maximum(slope, low),
        norm=LogNorm(low, high),
        cmap=SHADE,
        shading="nearest",
        rasterized=True,
        zorder=0,
    )
    bar = figure.colorbar(mesh, ax=axes, pad=0.02, fraction=0.045)
    bar.set_label(r"$\|\nabla L\|$")
    bar.outline.set_linewidth(0.4)


def _draw_field(axes: Axes, plane: Plane, x: np.ndarray, y: np.ndarray) -> None:
    axes.streamplot(
        x,
        y,
        np.ma.masked_invalid(plane.grid("dx")),
        np.ma.masked_invalid(plane.grid("dy")),
        color=style.GREY,
        linewidth=0.45,
        arrowsize=0.6,
        density=1.3,
        zorder=1,
    )


def _draw_nullclines(axes: Axes, plane: Plane) -> None:
    colours = {"dx": style.BLUE, "dy": style.VERMILION}
    for (of, _), curve in plane.nullclines.groupby(["of", "curve"]):
        axes.plot(curve["x"], curve["y"], color=colours[str(of)], linewidth=1.3, zorder=3, clip_on=False)


def _draw_paths(axes: Axes, plane: Plane, extent: tuple[float, float]) -> None:
    for _, path in plane.paths.groupby("path"):
        axes.plot(path["x"], path["y"], color=style.GREEN, linewidth=0.8, zorder=2)
        axes.plot(path["x"].iloc[:1], path["y"].iloc[:1], ".", color=style.GREEN, markersize=3, zorder=2)


def _draw_fixed_points(axes: Axes, plane: Plane) -> None:
    for kind, points in plane.fixed_points.groupby("kind"):
        axes.plot(points["x"], points["y"], zorder=5, clip_on=False, label=str(kind), **_marker(str(kind)))


def _marker(kind: str) -> dict[str, Any]:
    marker, is_filled = _KINDS.get(kind, ("x", False))
    return {
        "linestyle": "",
        "marker": marker,
        "markersize": 5,
        "markeredgewidth": 1,
        "markeredgecolor": style.BLACK,
        "markerfacecolor": style.BLACK if is_filled else "white",
    }


def _add_key(axes: Axes, plane: Plane) -> None:
    first, second = (coordinate_text(name) for name in plane.names)
    lines = [
        Line2D([], [], color=style.BLUE, linewidth=1.3, label=f"{first} at rest"),
        Line2D([], [], color=style.VERMILION, linewidth=1.3, label=f"{second} at rest"),
        Line2D([], [], color=style.GREEN, linewidth=0.8, marker=".", markersize=3, label="path"),
    ]
    kinds = [kind for kind in _KINDS if kind in set(plane.fixed_points["kind"])]
    lines += [Line2D([], [], label=kind, **_marker(kind)) for kind in kinds]
    axes.legend(handles=lines, loc="lower center", bbox_to_anchor=(0.5, 1.02), ncols=2, columnspacing=1.2)

"""How a trained model does on fresh data of other lengths and priors, beside those who know more, or less."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

from . import style
from .run import Run, read_manifest
from .scales import log_ticks
from .tables import RunError, read_table

_COLUMNS = "concentration length predictor loss loss_se excess excess_se".split()

#: Colour, marker and dashes of each predictor; the sets of GIH(…) vary.
_LOOKS: dict[str, dict[str, Any]] = {
    "model": {"color": style.BLACK, "marker": "o", "linestyle": "-", "linewidth": 1.6, "zorder": 4},
    # Where a model is trained well its GIH has the same loss, so this one is open and on top.
    "GIH": {"color": style.VERMILION, "marker": "s", "markersize": 6, "markerfacecolor": "none", "linestyle": "",
            "zorder": 5},
    "in-context Bayes": {"color": style.GREEN, "marker": "^", "linestyle": (0, (1, 1.2)), "zorder": 3},
    "true kernel": {"color": style.BLUE, "marker": "", "linestyle": (0, (5, 1.5, 1, 1.5)), "zorder": 2},
    "uniform": {"color": style.GREY, "marker": "", "linestyle": (0, (1, 2)), "zorder": 2},
}


@dataclass(frozen=True)
class Evaluation:
    """The losses of a trained model and of its references on fresh data."""

    path: Path
    table: pd.DataFrame


def is_evaluation(path: str | Path) -> bool:
    """Whether a folder is that of ``gradflow evaluate``, which has losses and no flow."""
    return (Path(path) / "evaluation.csv").is_file() and not (Path(path) / "trajectory.csv").is_file()


def load_evaluation(path: str | Path) -> Evaluation:
    """Read ``evaluation.csv`` of a run directory; raise ``RunError`` if there is none."""
    folder = Path(path)
    read_manifest(folder)
    if not (folder / "evaluation.csv").is_file():
        raise RunError(f"{folder}: no evaluation.csv; gradflow evaluate {folder} writes one.")
    return Evaluation(folder, read_table(folder / "evaluation.csv", _COLUMNS))


def generalisation(source: Run | Evaluation) -> Figure:
    """Draw the mean loss over the length, one column per prior, and below how far it is above the true kernel's.

    Error bars are two standard errors. One kernel has no concentration, and a column all the same.
    """
    table = source.evaluation if isinstance(source, Run) else source.table
    if table is None or table.empty:
        raise RunError(f"{source.path}: no evaluation.csv; gradflow evaluate {source.path} writes one.")
    priors = list(table.sort_values("concentration", kind="stable").groupby("concentration", dropna=False, sort=False))
    with mpl.rc_context(style.complete()):
        figure = Figure(figsize=(style.PAGE, 3.5), layout="constrained")
        panels = figure.subplots(2, len(priors), sharex=True, sharey="row", squeeze=False)
        for column, (prior, rows) in enumerate(priors):
            for name, group in rows.groupby("predictor", sort=False):
                look = _LOOKS["GIH" if str(name).startswith("GIH") else str(name)]
                _draw(panels[0][column], group, "loss", look, _label(str(name)))
                if name not in ("true kernel", "uniform"):
                    _draw(panels[1][column], group, "excess", look, "_")
            panels[0][column].set_title("one kernel" if pd.isna(prior) else rf"$\alpha={prior:g}$", loc="left")
            panels[1][column].set_yscale("log")
            panels[1][column].set_xlabel("length $L$ (tokens)")
            _length_axis(panels[1][column], np.unique(table["length"]))
        log_ticks(panels[1][0].yaxis)
        panels[0][0].set_ylabel("loss (nats)")
        panels[1][0].set_ylabel("above the\ntrue kernel (nats)")
        figure.align_ylabels(panels[:, 0])
        handles, labels = panels[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    return figure


def _draw(axes: Axes, rows: pd.DataFrame, column: str, look: dict[str, Any], label: str) -> None:
    rows = rows[rows[column] > 0]
    axes.errorbar(
        rows["length"],
        rows[column],
        yerr=2 * rows[f"{column}_se"],
        label=label,
        elinewidth=0.8,
        capsize=1.5,
        **{"linewidth": 1.1, "markersize": 3, **look},
    )


def _length_axis(axes: Axes, lengths: np.ndarray) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator([value for value in (10, 100, 1000, 10_000) if value <= lengths[-1]]))
    axes.xaxis.set_minor_locator(FixedLocator(list(lengths)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    if lengths[-1] < 10:
        axes.xaxis.set_minor_locator(NullLocator())


def _label(name: str) -> str:
    if name.startswith("GIH("):
        return "GIH$(" + name[4:-1].replace("{", r"\{").replace("}", r"\}") + ")$"
    return name

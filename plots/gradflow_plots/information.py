"""What sets of lags tell about the next token, from the CSV of ``gradflow information``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from . import style
from .names import set_text
from .tables import RunError, read_table

_COLUMNS = ["set", "size", "modified", "modified_se", "standard", "standard_se", "best"]
#: So many sets are drawn, those with the largest measure.
MOST_SETS = 16
_LABELS = {"modified": r"modified $\tilde I_{\chi^2}(S)$", "logits": "for logits $G(S)$"}


@dataclass(frozen=True)
class Information:
    """The table of informations, one row per set of lags."""

    path: Path
    table: pd.DataFrame


def is_information(path: str | Path) -> bool:
    """Whether a path is the CSV of ``gradflow information --csv``, or a folder that holds it."""
    file = _file(Path(path))
    return file.is_file() and file.suffix == ".csv"


def load_information(path: str | Path) -> Information:
    """Read the CSV of ``gradflow information --csv``, or ``information.csv`` in a folder."""
    file = _file(Path(path))
    if not file.is_file():
        raise RunError(f"{path}: no information.csv; gradflow information EXPERIMENT --csv FILE writes one.")
    return Information(Path(path), read_table(file, _COLUMNS))


def measure_of(table: pd.DataFrame) -> str:
    """Return the column by which the best set is the largest: ``modified``, or ``logits`` for predictions as logits."""
    best = table.index[table["best"] == 1]
    if "logits" not in table.columns or best.empty:
        return "modified"
    if "deficit" in table.columns:
        gaps = {name: table.loc[best[0], name] - table[name] - table["deficit"] for name in ("modified", "logits")}
        return min(gaps, key=lambda name: float(gaps[name].abs().max()))
    return "modified" if table["modified"].idxmax() == best[0] else "logits"


def with_best(table: pd.DataFrame, kept: pd.Index) -> pd.DataFrame:
    """Return the kept rows in the table's order; the best set takes the place of the last where it is not among them."""
    best = table.index[table["best"] == 1].difference(kept)
    return table.loc[kept[: len(kept) - len(best)].union(best).sort_values()]


def information_chart(information: Information) -> Figure:
    """Draw Ĩ and I of every set of lags as bars with two standard errors; the set S* of the largest Ĩ is filled and named.

    Where predictions are logits G takes the place of Ĩ.
    """
    table = information.table
    if table.empty:
        raise RunError(f"{information.path}: the table has no sets to draw.")
    measure = measure_of(table)
    table = with_best(table, table[measure].nlargest(MOST_SETS).index)
    with mpl.rc_context(style.complete()):
        figure = Figure(figsize=(style.COLUMN, 0.62 + 0.19 * len(table)), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        for axes, column, label in (
            (left, measure, _LABELS[measure]),
            (right, "standard", r"standard $I_{\chi^2}(S)$"),
        ):
            axes.set_label(column)
            is_best = table["best"].to_numpy() == 1
            axes.barh(
                range(len(table)),
                table[column],
                xerr=2 * table[f"{column}_se"],
                height=0.66,
                color=[style.BLUE if best else style.PALE for best in is_best],
                hatch=["" if best else "////" for best in is_best],
                edgecolor=[style.BLUE if best else style.GREY for best in is_best],
                linewidth=0.6,
                error_kw={"elinewidth": 0.9, "capsize": 2, "capthick": 0.9, "ecolor": style.BLACK},
            )
            axes.set_xlabel(label)
            axes.set_xlim(0, 1.06 * (table[column] + 2 * table[f"{column}_se"]).max())
            axes.locator_params(axis="x", nbins=4)
        names = [
            ("$S_\\ast=$ " if best else "") + set_text(name)
            for name, best in zip(table["set"], table["best"] == 1, strict=True)
        ]
        left.set_yticks(range(len(table)), names)
        left.invert_yaxis()
        left.set_ylabel("set of lags $S$")
        for axes in (left, right):
            axes.tick_params(axis="y", length=0)
    return figure


def _file(path: Path) -> Path:
    return path / "information.csv" if path.is_dir() else path

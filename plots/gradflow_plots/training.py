"""Discrete optimisers beside the exact flow, from ``gd.csv`` and its like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from . import style
from .columns import Row, drawable, stage_columns
from .names import heads_of, own_lag_of, set_text, winner_of
from .run import OPTIMIZERS, Run, RunError, Stage
from .scales import log_ticks

_COLOURS = dict(zip(OPTIMIZERS, [style.BLUE, style.GREEN, style.SKY, style.VERMILION], strict=True))
_DASHES = dict(zip(OPTIMIZERS, [(0, (4, 1.5)), (0, (1, 1.2)), (0, (3, 1, 1, 1)), (0, (6, 2))], strict=True))


def has_training(run: Run) -> bool:
    """Whether something was trained beside the flow."""
    return bool(run.training)


def training_panel(run: Run) -> Figure:
    """Draw what each optimiser does over the clock of the flow, and how far it is from it.

    Adam has no clock of its own: its steps stand where those of gradient descent do, and the key says so.
    """
    if not run.training:
        raise RunError(f"{run.path}: no gd.csv or the like; nothing was trained beside the flow.")
    # One legend on top is that of all rows but the last.
    rows = [Row("loss", 1.2, _draw("loss", "loss $L$ (nats)"))]
    if run.names("share") and run.names("attention"):
        winner = winner_of(run)
        heads = heads_of(run)
        first = winner.split("+")[0]
        head = first if first in heads else next(iter(heads))
        own = own_lag_of(run, head, heads[head])
        rows = [
            Row("share", 1.2, _draw(f"share.{winner}", f"share of {set_text(winner)}"), ("c",)),
            Row("attention", 1.2, _draw(f"attention.{head}.{own}", rf"$\sigma^{{{head}}}$ on lag {own}"), ("w",)),
            Row("a", 1.2, _draw("a", "scale $a$"), ("a",)),
            *rows,
        ]
    rows = [rows[0], *(replace(row, key=lambda _: []) for row in rows[1:])]
    return stage_columns(run, [*rows, Row("distance", 1.4, _draw_distance)])


def _clocked(run: Run, name: str, table: pd.DataFrame, stage: Stage) -> pd.DataFrame:
    """Return the rows of a stage with the flow's clock; steps of an optimiser without time lie as those of others."""
    rows = table[table["stage"] == stage.name]
    if rows["t"].notna().any():
        clock = rows["t"] - rows["t"].iloc[0]
    else:
        last = rows["step"].iloc[-1] if len(rows) else 1
        clock = rows["step"] * ((stage.end - stage.start) / max(last, 1))
    rows = rows.assign(clock=clock)
    return rows[rows["clock"] > 0]


def _draw(column: str, label: str) -> Callable[[Axes, Run, Stage], None]:
    def draw(axes: Axes, run: Run, stage: Stage) -> None:
        samples = drawable(run, stage)
        axes.plot(samples["clock"], samples[column], color=style.GREY, linewidth=3, alpha=0.45, label="flow")
        for name, table in run.training.items():
            rows = _clocked(run, name, table, stage)
            axes.plot(
                rows["clock"],
                rows[column],
                color=_COLOURS[name],
                linestyle=_DASHES[name],
                linewidth=1.2,
                label=name if table["t"].notna().any() else f"{name} (by step)",
            )
        axes.set_ylabel(label)

    return draw


def _draw_distance(axes: Axes, run: Run, stage: Stage) -> None:
    distances = run.distances
    for name in run.training:
        if distances is None:
            continue
        table = distances[distances["optimizer"] == name]
        rows = _clocked(run, name, table, stage)
        column = "distance" if table["distance"].notna().any() else "distance_to_path"
        values = rows[column]
        axes.plot(
            rows["clock"],
            values.where(values > 0),
            color=_COLOURS[name],
            linestyle=_DASHES[name],
            linewidth=1.2,
            label=name if column == "distance" else f"{name} (to path)",
        )
    axes.set_yscale("log")
    axes.set_ylabel(r"$\|\theta - \theta_{\mathrm{flow}}\|$")


def convergence(run: Run) -> Figure:
    """Draw the largest distance of gradient descent from the flow over the factor on its rates, beside slope 1.

    Below: the largest sharpness over its limit of stability, 2 over the rate. Stages may have learning rates η of their
    own; the factor is that of all.
    """
    table = run.convergence
    if table is None or table.empty:
        raise RunError(f"{run.path}: no convergence.csv; set training.factors in the experiment, or gradflow compare.")
    table = table[table["distance"] > 0].sort_values("factor")
    rate = table["factor"]
    with mpl.rc_context(style.complete()):
        figure = Figure(figsize=(style.COLUMN, 3.3), layout="constrained")
        distance, sharpness = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
        distance.plot(rate, table["distance_over_path"], "o-", color=_COLOURS["gd"], markersize=3.5, label="gd")
        line = table["distance_over_path"].iloc[0] / rate.iloc[0] * rate
        distance.plot(rate, line, **style.DERIVED, label="first order: slope 1")
        distance.set_ylabel("largest distance\nfrom the flow / path")
        sharpness.plot(rate, table["sharpness_share"], "s-", color=_COLOURS["gd"], markersize=3.5, label="_gd")
        sharpness.axhline(1, color=style.VERMILION, linewidth=0.9, linestyle=(0, (1, 1.2)), label="limit of stability")
        sharpness.set_ylabel(r"$\lambda_{\max}$ / limit")
        sharpness.set_xlabel(r"learning rate / $\eta$ (factor)")
        for axes in (distance, sharpness):
            axes.set(xscale="log", yscale="log")
            log_ticks(axes.xaxis)
            log_ticks(axes.yaxis, 4)
            axes.legend(loc="upper left")
    return figure


def has_convergence(run: Run) -> bool:
    """Whether gradient descent was run at several learning rates."""
    return run.convergence is not None and bool((run.convergence["distance"] > 0).any())

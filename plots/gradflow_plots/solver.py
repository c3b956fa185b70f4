"""What the solver did: its steps, orders and error estimates over the clock of each stage."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator

from . import style
from .columns import Row, stage_columns
from .run import Run, RunError, Stage


def solver_history(run: Run) -> Figure:
    """Draw step size, order, estimated local error and gradients computed, for every accepted step."""
    if run.steps.empty:
        raise RunError(f"{run.path / 'steps.csv'}: there are no steps to draw.")
    return stage_columns(
        run,
        [
            Row("step", 1.1, _draw_steps),
            Row("order", 0.8, _draw_order),
            Row("error", 1.0, _draw_error, decades=4),
            Row("work", 0.9, _draw_work),
        ],
        key_width=0.15,
        whole_clock=True,
    )


def _steps(run: Run, stage: Stage) -> pd.DataFrame:
    rows = run.steps[run.steps["stage"] == stage.name]
    rows = rows.assign(clock=rows["t"] - stage.start)
    return rows[(rows["clock"] > 0) & (rows["clock"] <= stage.end - stage.start)]


def _draw_steps(axes: Axes, run: Run, stage: Stage) -> None:
    rows = _steps(run, stage)
    axes.plot(rows["clock"], rows["step"], color=style.BLUE, linewidth=1.2, drawstyle="steps-pre", label="_step")
    axes.set_yscale("log")
    axes.set_ylabel("step $h$ (time)")


def _draw_order(axes: Axes, run: Run, stage: Stage) -> None:
    rows = _steps(run, stage)
    axes.plot(rows["clock"], rows["order"], color=style.BLUE, linewidth=1.2, drawstyle="steps-pre", label="_order")
    highest = int(run.steps["order"].max())
    axes.set_ylim(0.5, highest + 0.5)
    axes.yaxis.set_major_locator(FixedLocator(np.arange(1, highest + 1)))
    axes.set_ylabel("order $q$")


def _draw_error(axes: Axes, run: Run, stage: Stage) -> None:
    rows = _steps(run, stage)
    values = rows["error_estimate"]
    axes.plot(
        rows["clock"], values.where(values > 0), ".", color=style.BLUE, markersize=2, label="_error", rasterized=True
    )
    axes.axhline(1, color=style.BLACK, linewidth=0.8, linestyle=(0, (3.5, 2)), label="_tolerance")
    axes.set_yscale("log")
    axes.set_ylabel("local error\n/ tolerance")


def _draw_work(axes: Axes, run: Run, stage: Stage) -> None:
    rows = _steps(run, stage)
    axes.plot(rows["clock"], rows["evaluations"], color=style.BLUE, linewidth=1.2, label="_evaluations")
    axes.set_ylabel("gradients\ncomputed")

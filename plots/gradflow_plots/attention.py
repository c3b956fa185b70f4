"""Where each head looks, through time: heat maps of the attention over the lags."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from . import style
from .columns import Row, drawable, stage_columns
from .names import heads_of
from .run import Run, RunError, Stage

#: Dark to bright in every kind of sight, and in grey.
COLOURS = "cividis"


def attention_maps(run: Run) -> Figure:
    """Draw σ^h_i as colour, one row of panels per head, lags over the clock of each stage."""
    heads = heads_of(run)
    if not heads:
        raise RunError(f"{run.path / 'trajectory.csv'}: no column attention.…, so no head weighs lags.")

    def row(head: str, lags: list[str]) -> Row:
        def draw(axes: Axes, run: Run, stage: Stage) -> None:
            _draw_map(axes, run, stage, head, lags)

        return Row(f"head {head}", max(0.45, 0.16 * len(lags)), draw)

    figure = stage_columns(run, [row(head, lags) for head, lags in heads.items()])
    with mpl.rc_context(style.complete()):
        panels = [axes.get_position() for axes in figure.axes if axes.get_label() != "events"]
        right, low = max(box.x1 for box in panels), min(box.y0 for box in panels)
        high = max(box.y1 for box in panels)
        bar = figure.add_axes((right + 0.03, low, 0.016, min(high - low, 0.5)), label="colours")
        figure.colorbar(ScalarMappable(Normalize(0, 1), COLOURS), cax=bar, ticks=[0, 0.5, 1])
        bar.set_ylabel(r"attention $\sigma^h_i$")
        bar.tick_params(length=2)
    for axes in figure.axes:
        for line in axes.lines:
            if line.get_label() == "_event":
                line.set(color=style.VERMILION, linewidth=0.8)  # seen on dark and on bright
    return figure


def _draw_map(axes: Axes, run: Run, stage: Stage, head: str, lags: list[str]) -> None:
    samples = drawable(run, stage)
    if len(samples) > 1:
        clock = samples["clock"].to_numpy()
        middle = np.sqrt(clock[1:] * clock[:-1])
        edges = np.concatenate([clock[:1], middle, clock[-1:]])
        values = samples[[f"attention.{head}.{lag}" for lag in lags]].to_numpy().T
        axes.pcolormesh(
            edges, np.arange(len(lags) + 1) - 0.5, values, cmap=COLOURS, vmin=0, vmax=1, rasterized=True, zorder=0
        )
    axes.set_ylim(len(lags) - 0.5, -0.5)
    axes.set_yticks(range(len(lags)), lags)
    axes.set_ylabel(f"head {head}\nlag $i$")

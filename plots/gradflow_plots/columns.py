"""Figures with one column per stage and one row per quantity, under a strip of located events."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from . import style
from .events import draw_events
from .run import Run, RunError, Stage
from .scales import add_legend, clock_label, level_limits, set_clock, write_title


@dataclass(frozen=True)
class Row:
    """A quantity over all stages.

    ``height`` in inches; ``draw`` puts one stage into its axes. The row is tinted in stages that train one of
    ``groups``; ``key`` makes another legend than that of the lines. A log scale shows at most so many ``decades``.
    """

    name: str
    height: float
    draw: Callable[[Axes, Run, Stage], None]
    groups: tuple[str, ...] = ()
    key: Callable[[Run], Iterable[Line2D]] | None = None
    decades: int = 12  # below is round-off


def stage_columns(run: Run, rows: list[Row], *, key_width: float = 1.15, whole_clock: bool = False) -> Figure:
    """Draw one column per stage over its own clock; rows share their scale.

    Thin lines are the located events, with their error bars in the strip on top. ``key_width`` is for the legends
    on the right, in inches; ``whole_clock`` begins with the first step instead of where something moves.
    """
    if not run.stages:
        raise RunError(f"{run.path / 'trajectory.csv'}: there are no samples to draw.")
    with mpl.rc_context(style.complete()):
        return _draw(run, run.stages, rows, key_width, whole_clock)


def drawable(run: Run, stage: Stage) -> pd.DataFrame:
    """Return the samples that have a place on a log clock: all but the very start."""
    samples = run.samples(stage)
    return samples[samples["clock"] > 0]


def _draw(run: Run, stages: list[Stage], rows: list[Row], right: float, whole: bool) -> Figure:
    levels = max(1, max(len(run.reached(stage)) for stage in stages))
    # Inches: what stands beside and between the panels, then the panels themselves.
    width, left, top, bottom, gap = style.PAGE, 0.68, 0.42, 0.42, 0.09
    heights = [0.14 * levels + 0.06, *(row.height for row in rows)]
    height = top + bottom + sum(heights) + gap * (len(heights) - 1)
    figure = Figure(figsize=(width, height))
    grid = figure.add_gridspec(
        len(heights),
        len(stages),
        height_ratios=heights,
        left=left / width,
        right=1 - right / width,
        top=1 - top / height,
        bottom=bottom / height,
        wspace=0.19,
        hspace=gap / (sum(heights) / len(heights)),
    )
    strips: list[Axes] = []
    panels: list[list[Axes]] = [[] for _ in rows]
    for column, stage in enumerate(stages):
        events = figure.add_subplot(grid[0, column])
        events.set_label("events")
        strips.append(events)
        for index, row in enumerate(rows):
            share = panels[index][0] if column else None
            axes = figure.add_subplot(grid[index + 1, column], sharex=events, sharey=share)
            axes.set_label(row.name)
            row.draw(axes, run, stage)
            if set(row.groups) & set(stage.trained):
                axes.set_facecolor(style.TINT)
            axes.tick_params(labelbottom=row is rows[-1], labelleft=column == 0)
            axes.yaxis.label.set_visible(column == 0)
            if column + 1 < len(stages):  # the boundary to the next stage
                axes.spines["right"].set_visible(True)
                axes.spines["right"].set_linestyle((0, (3, 2)))
                axes.spines["right"].set_color(style.GREY)
            panels[index].append(axes)
        set_clock(events, run, stage, whole=whole)
        write_title(events, column, stage)
        panels[-1][column].set_xlabel(clock_label(stage))
    for row, axes_row in zip(rows, panels, strict=True):
        add_legend(axes_row[-1], row.key(run) if row.key else axes_row[-1].lines)
        level_limits(axes_row, row.decades)
    figure.align_ylabels([axes_row[0] for axes_row in panels])
    for column, stage in enumerate(stages):
        draw_events(strips[column], [axes_row[column] for axes_row in panels], run, stage, levels)
    return figure

"""The three stages of a transformer that learns to be a generalised induction head."""

from __future__ import annotations

from collections.abc import Callable

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from . import style
from .events import draw_events
from .names import dash_pattern, heads_of, lags_of, own_lag_of, set_text, winner_of
from .run import Run, RunError, Stage
from .scales import add_legend, clock_label, level_limits, set_clock, write_title

#: Which parameter group each row shows.
_GROUPS = {"share": "c", "attention": "w", "a": "a"}


def three_stage_panel(run: Run) -> Figure:
    """Draw one column per stage over its own clock; rows share their scale.

    From above: located events, shares p_S, attention of each head on each lag, the scale a, the
    loss, and the norm of the gradient. A row is tinted where its parameters are trained; thin lines
    are the located events, with their numerical error bars in the strip on top.
    """
    stages = run.stages
    if not stages:
        raise RunError(f"{run.path / 'trajectory.csv'}: there are no samples to draw.")
    for prefix in ("share", "attention"):
        if not run.names(prefix):
            raise RunError(
                f"{run.path / 'trajectory.csv'}: no column {prefix}.…, so this is no run of the "
                "transformer with generalised induction heads."
            )
    if "a" not in run.trajectory.columns:
        raise RunError(f"{run.path / 'trajectory.csv'}: no column a.")
    with mpl.rc_context(style.complete()):
        return _draw(run, stages)


def _draw(run: Run, stages: list[Stage]) -> Figure:
    levels = max(1, max(len(run.reached(stage)) for stage in stages))
    heads = heads_of(run)
    # Inches: what stands beside and between the panels, then the panels themselves.
    width, left, right, top, bottom, gap = 7.0, 0.68, 0.92, 0.42, 0.42, 0.09
    strip = 0.14 * levels + 0.06
    attention = max(1.3, 0.13 * (len(heads) + len(lags_of(heads)) + 2))
    heights = [strip, max(1.25, 0.13 * (len(run.names("share")) + 1)), attention, 0.85, 0.95, 0.95]
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
    drawers: list[tuple[str, Callable[[Axes, Run, Stage], None]]] = [
        ("share", _draw_shares),
        ("attention", _draw_attention),
        ("a", _draw_scale),
        ("loss", _draw_loss),
        ("gradient", _draw_gradient),
    ]
    strips: list[Axes] = []
    rows: list[list[Axes]] = [[] for _ in drawers]
    for column, stage in enumerate(stages):
        events = figure.add_subplot(grid[0, column])
        events.set_label("events")
        strips.append(events)
        for row, (name, drawer) in enumerate(drawers):
            share = rows[row][0] if column else None
            axes = figure.add_subplot(grid[row + 1, column], sharex=events, sharey=share)
            axes.set_label(name)
            drawer(axes, run, stage)
            if _GROUPS.get(name) in stage.trained:
                axes.set_facecolor(style.TINT)
            axes.tick_params(labelbottom=name == drawers[-1][0], labelleft=column == 0)
            axes.yaxis.label.set_visible(column == 0)
            if column + 1 < len(stages):  # the boundary to the next stage
                axes.spines["right"].set_visible(True)
                axes.spines["right"].set_linestyle((0, (3, 2)))
                axes.spines["right"].set_color(style.GREY)
            rows[row].append(axes)
        set_clock(events, run, stage)
        write_title(events, column, stage)
        rows[-1][column].set_xlabel(clock_label(stage))
    for axes_row in rows:
        is_attention = axes_row[-1].get_label() == "attention"
        add_legend(axes_row[-1], _attention_key(run) if is_attention else axes_row[-1].lines)
        level_limits(axes_row)
    figure.align_ylabels([axes_row[0] for axes_row in rows])
    for column, stage in enumerate(stages):
        draw_events(strips[column], [axes_row[column] for axes_row in rows], run, stage, levels)
    return figure


# Rows


def _drawable(run: Run, stage: Stage) -> pd.DataFrame:
    """Return the samples that have a place on a log clock: all but the very start."""
    samples = run.samples(stage)
    return samples[samples["clock"] > 0]


def _draw_shares(axes: Axes, run: Run, stage: Stage) -> None:
    samples = _drawable(run, stage)
    subsets = run.names("share")
    winner = winner_of(run)
    for index, subset in enumerate(subsets):
        turn = index // len(style.PALETTE)
        axes.plot(
            samples["clock"],
            samples[f"share.{subset}"],
            color=style.PALETTE[index % len(style.PALETTE)],
            linestyle=dash_pattern(turn + (0 if "+" in subset else 1)),
            linewidth=1.9 if subset == winner else 1.0,
            zorder=3 if subset == winner else 2,
            label=set_text(subset),
        )
    axes.set_ylim(-0.04, 1.04)
    axes.set_yticks([0, 0.5, 1])
    axes.set_ylabel("share $p_S$")


def _draw_attention(axes: Axes, run: Run, stage: Stage) -> None:
    samples = _drawable(run, stage)
    heads = heads_of(run)
    every = lags_of(heads)
    for index, (head, lags) in enumerate(heads.items()):
        own = own_lag_of(run, head, lags)
        for lag in lags:
            is_own = lag == own
            # Heads often coincide: thinner lines over wider ones, and dashes shifted, show all.
            axes.plot(
                samples["clock"],
                samples[f"attention.{head}.{lag}"],
                color=style.PALETTE[index % len(style.PALETTE)],
                linestyle="-" if is_own else dash_pattern(1 + every.index(lag), shift=2.0 * index),
                linewidth=max(1.2, 3.2 - 0.9 * index) if is_own else 1.0,
                zorder=3 if is_own else 2,
                label=f"_attention.{head}.{lag}",
            )
    axes.set_ylim(-0.04, 1.04)
    axes.set_yticks([0, 0.5, 1])
    axes.set_ylabel(r"attention $\sigma^h_i$")


def _attention_key(run: Run) -> list[Line2D]:
    """Colours name the heads, dashes the lags."""
    heads = heads_of(run)
    key = [
        Line2D([], [], color=style.PALETTE[index % len(style.PALETTE)], linewidth=1.9)
        for index in range(len(heads))
    ]
    for line, head in zip(key, heads, strict=True):
        line.set_label(f"head {head}")
    key.append(Line2D([], [], color=style.GREY, linewidth=1.9, label="own lag"))
    for index, lag in enumerate(lags_of(heads)):
        dash = dash_pattern(1 + index)
        key.append(Line2D([], [], color=style.GREY, linestyle=dash, label=f"lag {lag}"))
    return key


def _draw_scale(axes: Axes, run: Run, stage: Stage) -> None:
    samples = _drawable(run, stage)
    axes.plot(samples["clock"], samples["a"], color=style.BLACK, linewidth=1.4, label="$a$")
    axes.set_ylabel("scale $a$")


def _draw_loss(axes: Axes, run: Run, stage: Stage) -> None:
    samples = _drawable(run, stage)
    axes.plot(samples["clock"], samples["loss"], color=style.BLACK, linewidth=1.4, label="$L$")
    axes.set_ylabel("loss $L$ (nats)")


def _draw_gradient(axes: Axes, run: Run, stage: Stage) -> None:
    samples = _drawable(run, stage)
    colours = {"c": style.BLUE, "w": style.VERMILION, "a": style.GREEN}
    columns = [("gradient_norm", style.BLACK, "trained")]
    for index, group in enumerate(run.names("gradient_norm")):
        colour = colours.get(group, style.PALETTE[(3 + index) % len(style.PALETTE)])
        columns.append((f"gradient_norm.{group}", colour, f"${group}$"))
    for column, colour, label in columns:
        values = samples[column]
        is_total = column == "gradient_norm"
        axes.plot(
            samples["clock"],
            values.where(values > 0),
            color=colour,
            linewidth=0.8 if is_total else 1.2,
            linestyle=(0, (2.5, 2)) if is_total else "-",
            zorder=3 if is_total else 2,
            label=label,
        )
    axes.set_yscale("log")
    axes.set_ylabel(r"$\|\nabla L\|$ (nats)")

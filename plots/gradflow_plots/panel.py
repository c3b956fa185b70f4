"""The three stages of a transformer that learns to be a generalised induction head."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter, NullLocator

from . import style
from .run import Run, RunError, Stage

_ROMAN = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X"]
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
    with mpl.rc_context({**mpl.rcParamsDefault, **style.RC, "backend": "agg"}):
        return _draw(run, stages)


def _draw(run: Run, stages: list[Stage]) -> Figure:
    levels = max(1, max(len(run.reached(stage)) for stage in stages))
    heads = _heads(run)
    # Inches: what stands beside and between the panels, then the panels themselves.
    width, left, right, top, bottom, gap = 7.0, 0.52, 0.92, 0.42, 0.42, 0.09
    strip = 0.14 * levels + 0.06
    attention = max(1.3, 0.13 * (len(heads) + len(_lags(heads)) + 2))
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
        wspace=0.09,
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
        _set_clock(events, run, stage)
        _title(events, column, stage)
        rows[-1][column].set_xlabel(_clock_label(stage))
    for axes_row in rows:
        is_attention = axes_row[-1].get_label() == "attention"
        _legend(axes_row[-1], _attention_key(run) if is_attention else axes_row[-1].lines)
        _level_limits(axes_row)
    figure.align_ylabels([axes_row[0] for axes_row in rows])
    for column, stage in enumerate(stages):
        _draw_events(strips[column], [axes_row[column] for axes_row in rows], run, stage, levels)
    return figure


# Rows


def _draw_shares(axes: Axes, run: Run, stage: Stage) -> None:
    samples = run.samples(stage)
    subsets = run.names("share")
    winner = _winner(run)
    for index, subset in enumerate(subsets):
        turn = index // len(style.PALETTE)
        axes.plot(
            samples["clock"],
            samples[f"share.{subset}"],
            color=style.PALETTE[index % len(style.PALETTE)],
            linestyle=_dash(turn + (0 if "+" in subset else 1)),
            linewidth=1.9 if subset == winner else 1.0,
            zorder=3 if subset == winner else 2,
            label=_set_text(subset),
        )
    axes.set_ylim(-0.04, 1.04)
    axes.set_yticks([0, 0.5, 1])
    axes.set_ylabel("share $p_S$")


def _draw_attention(axes: Axes, run: Run, stage: Stage) -> None:
    samples = run.samples(stage)
    heads = _heads(run)
    every = _lags(heads)
    for index, (head, lags) in enumerate(heads.items()):
        own = _own_lag(run, head, lags)
        for lag in lags:
            is_own = lag == own
            # Heads often coincide: thinner lines over wider ones, and dashes shifted, show all.
            axes.plot(
                samples["clock"],
                samples[f"attention.{head}.{lag}"],
                color=style.PALETTE[index % len(style.PALETTE)],
                linestyle="-" if is_own else _dash(1 + every.index(lag), shift=2.0 * index),
                linewidth=max(1.2, 3.2 - 0.9 * index) if is_own else 1.0,
                zorder=3 if is_own else 2,
                label=f"_attention.{head}.{lag}",
            )
    axes.set_ylim(-0.04, 1.04)
    axes.set_yticks([0, 0.5, 1])
    axes.set_ylabel(r"attention $\sigma^h_i$")


def _attention_key(run: Run) -> list[Line2D]:
    """Colours name the heads, dashes the lags."""
    heads = _heads(run)
    key = [
        Line2D([], [], color=style.PALETTE[index % len(style.PALETTE)], linewidth=1.9)
        for index in range(len(heads))
    ]
    for line, head in zip(key, heads, strict=True):
        line.set_label(f"head {head}")
    key.append(Line2D([], [], color=style.GREY, linewidth=1.9, label="own lag"))
    for index, lag in enumerate(_lags(heads)):
        dash = _dash(1 + index)
        key.append(Line2D([], [], color=style.GREY, linestyle=dash, label=f"lag {lag}"))
    return key


def _draw_scale(axes: Axes, run: Run, stage: Stage) -> None:
    samples = run.samples(stage)
    axes.plot(samples["clock"], samples["a"], color=style.BLACK, linewidth=1.4, label="$a$")
    axes.set_ylabel("scale $a$")


def _draw_loss(axes: Axes, run: Run, stage: Stage) -> None:
    samples = run.samples(stage)
    axes.plot(samples["clock"], samples["loss"], color=style.BLACK, linewidth=1.4, label="$L$")
    axes.set_ylabel("loss $L$ (nats)")


def _draw_gradient(axes: Axes, run: Run, stage: Stage) -> None:
    samples = run.samples(stage)
    colours = {"c": style.BLUE, "w": style.VERMILION, "a": style.GREEN}
    columns = [("gradient_norm", style.BLACK, "all")]
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


# Events


def _draw_events(strip: Axes, below: list[Axes], run: Run, stage: Stage, levels: int) -> None:
    strip.set_ylim(levels - 0.4, -0.6)  # level 0 on top
    strip.yaxis.set_major_locator(NullLocator())
    strip.spines["left"].set_visible(False)
    strip.spines["bottom"].set_visible(False)
    strip.tick_params(which="both", bottom=False, labelbottom=False)
    low, high = strip.get_xlim()
    events = [
        event
        for event in run.reached(stage).itertuples()
        if low <= event.clock <= high  # what happened at the very start has no place on a log axis
    ]
    if not events:
        return
    texts = [_event_text(str(event.name)) for event in events]
    widths = [_text_width(strip, text) for text in texts]
    panel = strip.get_window_extent()
    places = [strip.transData.transform((event.clock, 0))[0] for event in events]
    fits_right = [place + width < panel.x1 for place, width in zip(places, widths, strict=True)]
    fits_left = [place - width > panel.x0 for place, width in zip(places, widths, strict=True)]
    # Texts all to the right with the earlier event above, or all to the left with the earlier
    # below: no line crosses a text. Only where neither fits do they mix, and blank the lines.
    if all(fits_left) and not all(fits_right):
        fits_right = [False] * len(events)
    for index, event in enumerate(events):
        to_right = fits_right[index]
        level = levels - len(events) + (index if any(fits_right) else len(events) - 1 - index)
        error = 0.0 if math.isnan(event.t_error) else event.t_error
        lower = max(event.clock - error, low)
        strip.errorbar(
            [event.clock],
            [level],
            xerr=[[event.clock - lower], [error]],
            fmt="o",
            markersize=2.2,
            color=style.BLACK,
            elinewidth=0.8,
            capsize=1.8,
            capthick=0.8,
            clip_on=False,
        )
        strip.plot(
            [event.clock] * 2,
            [level, levels + 0.2],  # down to the first panel
            color=style.GREY,
            linewidth=0.5,
            zorder=1,
            clip_on=False,
        )
        strip.annotate(
            texts[index],
            (event.clock, level),
            xytext=(4 if to_right else -4, 0),
            textcoords="offset points",
            ha="left" if to_right else "right",
            va="center_baseline",
            fontsize=6.5,
            annotation_clip=False,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
        )
        for axes in below:
            axes.axvline(event.clock, color=style.GREY, linewidth=0.5, zorder=1, label="_event")
            if error > 0:
                axes.axvspan(lower, event.clock + error, color=style.GREY, alpha=0.25, linewidth=0)


def _event_text(name: str) -> str:
    kind, _, rest = name.partition(".")
    subset = rest.replace("+", "")
    match kind:
        case "selection":
            return rf"$p_{{{subset}}} = 1/2$"
        case "selection-complete":
            return rf"$p_{{{subset}}} = 1 - 1/L$"
        case "copying":
            return rf"$\sigma^{{{rest}}}_* = 1/2$"
        case "copying-complete":
            return rf"$\sigma^{{{rest}}}_* = 0.99$"
        case "classification":
            return "loss within 1 %"
        case _:
            return name.replace("$", r"\$")


def _text_width(axes: Axes, text: str) -> float:
    """The width of an event's text with its distance from the marker, in pixels."""
    probe = axes.text(0, 0, text, fontsize=6.5)
    width = probe.get_window_extent().width
    probe.remove()
    return float(width) + 4 * axes.figure.dpi / 72


# Axes


def _set_clock(axes: Axes, run: Run, stage: Stage) -> None:
    """Use a log clock from the decade in which something first moves visibly."""
    samples = run.samples(stage)
    clock = samples["clock"].to_numpy()
    positive = clock[clock > 0]
    if not len(positive):
        axes.set_xscale("log")
        axes.set_xlim(0.1, 10)
        return
    first, last = positive[0], positive[-1]
    shown = [
        name
        for name in run.trajectory.columns
        if name in ("a", "loss") or name.startswith(("share.", "attention."))
    ]
    begin = last
    for name in shown:
        whole = run.trajectory[name]
        spread = whole.max() - whole.min()
        values = samples[name].to_numpy()
        moved = clock[np.abs(values - values[0]) > 0.01 * spread]
        if len(moved):
            begin = min(begin, moved[0])
    events = run.reached(stage)["clock"]
    if (events > 0).any():
        begin = min(begin, events[events > 0].min())
    # Half a decade of rest before, at least three decades in all.
    begin = min(begin / 3, last / 1e3)
    axes.set_xscale("log")
    axes.set_xlim(max(10 ** math.floor(math.log10(begin)), first), last)
    axes.xaxis.set_major_locator(LogLocator(numticks=5))
    axes.xaxis.set_minor_locator(LogLocator(subs="auto", numticks=12))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _title(axes: Axes, index: int, stage: Stage) -> None:
    number = _ROMAN[index] if index < len(_ROMAN) else str(index + 1)
    axes.set_title(f"{number}  {stage.name}", fontweight="bold", loc="left", pad=13)
    trained = ", ".join(f"${group}$" for group in stage.trained)
    end = f"until $t = {_number(stage.end)}$"
    axes.annotate(
        f"trains {trained} {end}" if trained else end,
        (0, 1),
        xycoords="axes fraction",
        xytext=(0, 4),
        textcoords="offset points",
        color=style.GREY,
        fontsize=7,
    )


def _clock_label(stage: Stage) -> str:
    return "time $t$" if stage.start == 0 else f"time $t - {_number(stage.start)}$"


def _number(value: float) -> str:
    """Return three digits, as powers of ten where that is shorter."""
    if 1e-2 <= abs(value) < 1e4 or value == 0:
        return f"{value:.3g}"
    power = math.floor(math.log10(abs(value)))
    mantissa = f"{value / 10**power:.3g}"
    return ("" if mantissa == "1" else rf"{mantissa} \cdot ") + f"10^{{{power}}}"


def _level_limits(axes_row: list[Axes]) -> None:
    """Leave some air above and below; on log axes show whole powers only."""
    axes = axes_row[0]
    if axes.get_yscale() == "log":
        values = np.concatenate([line.get_ydata() for one in axes_row for line in one.lines])
        values = values[np.isfinite(values) & (values > 0)]
        if len(values):
            # Twelve decades at most: below is round-off.
            high = values.max()
            low = max(values.min(), high * 1e-12)
            axes.set_ylim(low / 2, high * 2)
        axes.yaxis.set_major_locator(LogLocator(numticks=4))
        axes.yaxis.set_minor_locator(NullLocator())
    elif axes.get_label() in ("a", "loss"):
        values = np.concatenate([line.get_ydata() for one in axes_row for line in one.lines])
        low, high = np.nanmin(values), np.nanmax(values)
        margin = 0.06 * (high - low or 1)
        axes.set_ylim(low - margin, high + margin)


def _legend(axes: Axes, lines: Iterable[Line2D]) -> None:
    handles = [line for line in lines if not str(line.get_label()).startswith("_")]
    if len(handles) > 1:
        axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.05, 1.0))


# Names


def _dash(index: int, shift: float = 0) -> str | tuple[float, tuple[float, ...]]:
    """Return solid for 0, then dashes that differ, begun ``shift`` line widths later."""
    dashes: list[tuple[float, ...]] = [(4, 2), (1, 1.6), (5, 1.5, 1, 1.5), (2, 1.2), (7, 2)]
    return "-" if index == 0 else (shift, dashes[(index - 1) % len(dashes)])


def _set_text(subset: str) -> str:
    return r"$\emptyset$" if subset == "0" else r"$\{" + subset.replace("+", ", ") + r"\}$"


def _heads(run: Run) -> dict[str, list[str]]:
    """The lags of each head, from the columns ``attention.head.lag``."""
    heads: dict[str, list[str]] = {}
    for name in run.names("attention"):
        head, _, lag = name.partition(".")
        heads.setdefault(head, []).append(lag)
    return heads


def _lags(heads: dict[str, list[str]]) -> list[str]:
    """All lags that some head looks at, ascending."""
    return sorted({lag for lags in heads.values() for lag in lags}, key=lambda lag: (len(lag), lag))


def _own_lag(run: Run, head: str, lags: list[str]) -> str:
    """The lag that a head attends to most at the start."""
    start = run.trajectory.iloc[0]
    return max(lags, key=lambda lag: start[f"attention.{head}.{lag}"])


def _winner(run: Run) -> str:
    """The subset with the largest share at the end."""
    end = run.trajectory.iloc[-1]
    return max(run.names("share"), key=lambda subset: end[f"share.{subset}"])

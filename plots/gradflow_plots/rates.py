"""The rates of the three stages on axes that make the laws straight: G2 in t, G4 in log–log, G6 in log t."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from . import style
from .columns import drawable
from .laws import copying_leaks, growth_exponent, scale_at_rest, selection_rates
from .names import heads_of, own_lag_of, set_text, winner_of
from .run import Run, RunError, Stage
from .scales import legend_below, log_ticks, number_text, thousands


def has_rates(run: Run) -> bool:
    """Whether some stage trains c, w or a alone, in a model with shares and attention."""
    return bool(run.names("share") and run.names("attention") and _stages(run))


def rate_panels(run: Run) -> Figure:
    """Draw ln(c_S*/c_S) over t, 1 − σ in log–log, and a over log t, each with its derived law dashed.

    The legends hold what was measured over what is derived.
    """
    stages = _stages(run)
    if not has_rates(run):
        raise RunError(f"{run.path}: no stage trains c, w or a alone, so there are no rates to draw.")
    draw = {"c": _draw_selection, "w": _draw_copying, "a": _draw_growth}
    with mpl.rc_context(style.complete()):
        width = style.PAGE if len(stages) > 1 else style.COLUMN
        figure = Figure(figsize=(width, 2.75), layout="constrained")
        figure.get_layout_engine().set(wspace=0.06)
        panels = figure.subplots(1, len(stages), squeeze=False)[0]
        for axes, (group, stage) in zip(panels, stages.items(), strict=True):
            axes.set_label(group)
            draw[group](axes, run, stage)
            axes.set_title(stage.name, fontweight="bold", loc="left")
    return figure


def leak(run: Run, samples: pd.DataFrame, head: str) -> pd.Series:
    """1 − σ of a head on its own lag, as the sum over the other lags, which loses no digits."""
    lags = heads_of(run)[head]
    own = own_lag_of(run, head, lags)
    return samples[[f"attention.{head}.{lag}" for lag in lags if lag != own]].sum(axis=1)


def lead(samples: pd.DataFrame, best: str, other: str) -> pd.Series:
    """ln(c_S*/c_S) from the shares, which are c² up to a factor in common."""
    return np.log(samples[f"share.{best}"] / samples[f"share.{other}"]) / 2


def _stages(run: Run) -> dict[str, Stage]:
    """The last stage that trains each of c, w and a alone."""
    alone = {stage.trained[0]: stage for stage in run.stages if len(stage.trained) == 1}
    return {group: alone[group] for group in "cwa" if group in alone}


def _draw_selection(axes: Axes, run: Run, stage: Stage) -> None:
    best, rates = selection_rates(run)
    best = best or winner_of(run)
    samples = run.samples(stage)
    done = run.reached(stage)
    done = done[done["name"] == f"selection-complete.{best}"]["clock"]
    last = min(1.3 * float(done.iloc[0]), stage.end - stage.start) if len(done) else stage.end - stage.start
    samples = samples[samples["clock"] <= last]
    others = [subset for subset in run.names("share") if subset != best]
    final = {subset: lead(samples, best, subset).iloc[-1] for subset in others}
    for index, subset in enumerate(sorted(others, key=lambda subset: -final[subset])[:8]):
        values = lead(samples, best, subset)
        label = set_text(subset)
        if subset in rates:
            label += f"  {rates[subset].ratio:.4f}"
            line = values.iloc[0] + rates[subset].derived * samples["clock"]
            axes.plot(samples["clock"], line, **style.DERIVED, label=f"_derived.{subset}")
        axes.plot(
            samples["clock"],
            values,
            color=style.PALETTE[index % len(style.PALETTE)],
            marker=style.MARKERS[index % len(style.MARKERS)],
            markevery=max(1, len(samples) // 400),
            markersize=2.4,
            linewidth=1.6,
            alpha=0.75,
            label=label,
        )
    axes.set_xlim(0, last)
    axes.set_xlabel(f"time $t${thousands(axes.xaxis, last)}")
    axes.set_ylabel(rf"$\ln(c_{{S_\ast}}/c_S)$, $S_\ast=${set_text(best)}")
    title = "$S$, measured / derived slope (dashed)" if rates else "$S$"
    legend_below(axes, 2, title=title, title_fontsize=6.5)


def _draw_copying(axes: Axes, run: Run, stage: Stage) -> None:
    asymptotes, solved = copying_leaks(run, "asymptote"), copying_leaks(run, "gap ODE")
    samples = drawable(run, stage)
    heads = list(asymptotes) or list(heads_of(run))
    for index, head in enumerate(heads):
        colour, marker = style.PALETTE[index % len(style.PALETTE)], style.MARKERS[index % len(style.MARKERS)]
        label = f"head {head}"
        if head in asymptotes:
            label += f"  {asymptotes[head][1].ratio:.4f}"
        axes.plot(
            samples["clock"], leak(run, samples, head), color=colour, linewidth=1.6, alpha=0.75, label=label,
            marker=marker, markersize=2.6, markevery=(5 * index, 10),
        )  # fmt: skip
        if head in asymptotes:
            clock, law = asymptotes[head]
            whole = law.derived * clock
            begin = max(samples["clock"].iloc[0], whole / 0.5)
            at = np.geomspace(begin, clock, 40)
            axes.plot(at, whole / at, **style.DERIVED, label=f"_derived.{head}")
        if head in solved:
            clock, law = solved[head]
            axes.errorbar(
                [clock], [law.derived], yerr=[law.model_error], marker=marker, markersize=5, color=style.BLACK,
                markerfacecolor="none", linestyle="", elinewidth=0.8, capsize=2, zorder=5, clip_on=False,
                label="gap ODE at the end" if index == 0 else f"_ode.{head}",
            )  # fmt: skip
    axes.set(xscale="log", yscale="log")
    # From well before the asymptote K/t meets 1.
    clock = samples["clock"]
    begin = 10 ** np.floor(np.log10(0.03 * leak(run, samples, heads[0]).iloc[-1] * clock.iloc[-1]))
    axes.set_xlim(max(clock.iloc[0], min(begin, clock.iloc[-1] / 1e4)), None)
    for axis in (axes.xaxis, axes.yaxis):
        log_ticks(axis)
    axes.set_xlabel(_clock(stage))
    axes.set_ylabel(r"$1-\sigma^h$ on its own lag")
    title = r"measured / derived $1-\sigma\to K/t$ (dashed)" if asymptotes else None
    legend_below(axes, 2, title=title, title_fontsize=6.5)


def _draw_growth(axes: Axes, run: Run, stage: Stage) -> None:
    samples = drawable(run, stage)
    axes.plot(
        samples["clock"], samples["a"], color=style.BLUE, linewidth=1.6, alpha=0.75, marker="o", markersize=2.4,
        markevery=4, label="flow",
    )  # fmt: skip
    growth, rest = growth_exponent(run), scale_at_rest(run)
    last = samples.iloc[-1]
    if growth:
        at = np.geomspace(last["clock"] / 3e3, last["clock"], 30)
        line = last["a"] + np.log(at / last["clock"]) / growth.derived
        text = f"slope $1/r$, $r={growth.derived:.4g}$\n$r$ measured / derived {growth.ratio:.4f}"
        axes.plot(at, line, **style.DERIVED, label=text)
    if rest:
        text = rf"$a_\infty={number_text(rest.derived)}$;  end / derived {rest.ratio:.4f}"
        axes.plot(samples["clock"].iloc[[0, -1]], [rest.derived] * 2, **style.DERIVED, label=text)
    axes.set_xscale("log")
    begin = samples["clock"][samples["a"] > samples["a"].iloc[0] + 0.02 * np.ptp(samples["a"])]
    axes.set_xlim(10 ** np.floor(np.log10(begin.iloc[0])) if len(begin) else None, last["clock"])
    log_ticks(axes.xaxis)
    axes.set_xlabel(_clock(stage))
    axes.set_ylabel("scale $a$")
    legend_below(axes, 1)


def _clock(stage: Stage) -> str:
    return "time $t$" if stage.start == 0 else f"time $t - {number_text(stage.start)}$"

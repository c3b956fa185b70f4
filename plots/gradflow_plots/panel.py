"""The three stages of a transformer that learns to be a generalised induction head."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from . import overlays, style
from .columns import Row, drawable, stage_columns
from .laws import copying_leaks, selection_rates, selection_time
from .names import dash_pattern, heads_of, lags_of, own_lag_of, set_text, winner_of
from .run import Run, RunError, Stage


def three_stage_panel(run: Run) -> Figure:
    """Draw shares p_S, attention of each head on each lag, the scale a, the loss, and the gradient's norm.

    What the run's claims derive is dashed in black: the shares by G2, the time of G3 as a diamond, the asymptote of
    G4, the slope of G6 or the rest of a by G7.
    """
    if not run.stages:
        raise RunError(f"{run.path / 'trajectory.csv'}: there are no samples to draw.")
    for prefix in ("share", "attention"):
        if not run.names(prefix):
            raise RunError(
                f"{run.path / 'trajectory.csv'}: no column {prefix}.…, so this is no run of the "
                "transformer with generalised induction heads."
            )
    if "a" not in run.trajectory.columns:
        raise RunError(f"{run.path / 'trajectory.csv'}: no column a.")
    heads = heads_of(run)
    shown, others = _shown_sets(run)
    share = max(1.25, 0.13 * (len(shown) + bool(others) + 3))
    is_full = "unexplained" in run.trajectory.columns
    groups = [name for name in run.names("gradient_norm") if name != "a"]
    attention = max(1.3, 0.13 * (len(heads) + len(lags_of(heads)) + 3))
    return stage_columns(
        run,
        [
            Row("share", share, _draw_shares, tuple(groups) if is_full else ("c",), _share_key),
            Row("attention", attention, _draw_attention, ("w", "wq", "wk"), _attention_key),
            Row("a", 0.85, _draw_scale, ("a",)),
            Row("loss", 0.95, _draw_loss),
            Row("gradient", 0.95, _draw_gradient),
        ],
    )


# Rows


#: So many sets have a line of their own, whatever their shares.
MOST_SETS = 12


def _shown_sets(run: Run) -> tuple[list[str], list[str]]:
    """The sets with a line of their own, and those that never matter among many."""
    subsets = run.names("share")
    if len(subsets) <= MOST_SETS:
        return subsets, []
    largest = {subset: run.trajectory[f"share.{subset}"].max() for subset in subsets}
    shown = sorted(subsets, key=lambda subset: -largest[subset])[:MOST_SETS]
    shown = [subset for subset in subsets if subset in shown and largest[subset] > 0.05]
    return shown, [subset for subset in subsets if subset not in shown]


def _draw_shares(axes: Axes, run: Run, stage: Stage) -> None:
    samples = drawable(run, stage)
    shown, others = _shown_sets(run)
    winner = winner_of(run)
    for index, subset in enumerate(others):
        label = "_" if index else "others"
        values = samples[f"share.{subset}"]
        axes.plot(samples["clock"], values, color="#BBBBBB", linewidth=0.7, label=label)
    if "unexplained" in samples.columns:
        axes.plot(
            samples["clock"],
            samples["unexplained"],
            color=style.BLACK,
            linewidth=0.9,
            linestyle=(0, (1, 1.2)),
            label="unexplained",
        )
    for index, subset in enumerate(shown):
        turn = index // len(style.PALETTE)
        axes.plot(
            samples["clock"],
            samples[f"share.{subset}"],
            color=style.PALETTE[index % len(style.PALETTE)],
            linestyle=dash_pattern(turn),
            linewidth=1.9 if subset == winner else 1.0,
            zorder=3 if subset == winner else 2,
            label=set_text(subset),
        )
    overlays.draw_shares(axes, run, stage, shown)
    axes.set_ylim(-0.04, 1.04)
    axes.set_yticks([0, 0.5, 1])
    axes.set_ylabel("share $p_S$")


def _share_key(run: Run) -> list[Line2D]:
    """The sets as they are drawn, and what is derived."""
    probe = Figure().add_subplot()
    _draw_shares(probe, run, run.stages[-1])
    lines = [line for line in probe.lines if not str(line.get_label()).startswith("_")]
    key = [Line2D([], [], color=line.get_color(), linestyle=line.get_linestyle(), linewidth=line.get_linewidth(),
                  label=str(line.get_label())) for line in lines]  # fmt: skip
    return [*key, overlays.derived_key()] if selection_rates(run)[1] or selection_time(run) else key


def _draw_attention(axes: Axes, run: Run, stage: Stage) -> None:
    samples = drawable(run, stage)
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
                linewidth=_own_width(index) if is_own else 1.0,
                zorder=3 if is_own else 2,
                label=f"_attention.{head}.{lag}",
            )
    overlays.draw_attention(axes, run, stage)
    axes.set_ylim(-0.04, 1.04)
    axes.set_yticks([0, 0.5, 1])
    axes.set_ylabel(r"attention $\sigma^h_i$")


def _own_width(index: int) -> float:
    """The width of a head's line on its own lag: that of the first head is widest."""
    return max(1.2, 3.2 - 0.9 * index)


def _attention_key(run: Run) -> list[Line2D]:
    """Colours name the heads, dashes the lags."""
    heads = heads_of(run)
    key = [
        Line2D([], [], color=style.PALETTE[index % len(style.PALETTE)], linewidth=_own_width(index))
        for index in range(len(heads))
    ]
    for line, head in zip(key, heads, strict=True):
        line.set_label(f"head {head}")
    key.append(Line2D([], [], color=style.GREY, linewidth=1.9, label="own lag"))
    for index, lag in enumerate(lags_of(heads)):
        dash = dash_pattern(1 + index)
        key.append(Line2D([], [], color=style.GREY, linestyle=dash, label=f"lag {lag}"))
    return [*key, overlays.derived_key()] if copying_leaks(run, "asymptote") else key


def _draw_scale(axes: Axes, run: Run, stage: Stage) -> None:
    samples = drawable(run, stage)
    axes.plot(samples["clock"], samples["a"], color=style.BLACK, linewidth=1.4, label="$a$")
    overlays.draw_scale(axes, run, stage)
    axes.set_ylabel("scale $a$")


def _draw_loss(axes: Axes, run: Run, stage: Stage) -> None:
    samples = drawable(run, stage)
    axes.plot(samples["clock"], samples["loss"], color=style.BLACK, linewidth=1.4, label="$L$")
    axes.set_ylabel("loss $L$ (nats)")


def _draw_gradient(axes: Axes, run: Run, stage: Stage) -> None:
    samples = drawable(run, stage)
    colours = {"c": style.BLUE, "w": style.VERMILION, "a": style.GREEN}
    spare = [style.PURPLE, style.SKY, style.ORANGE]
    columns = [("gradient_norm", style.BLACK, "trained", 0)]
    rest = 0
    for group in run.names("gradient_norm"):
        turn = 0
        if group not in colours:
            turn, colour = rest // len(spare), spare[rest % len(spare)]
            rest += 1
        else:
            colour = colours[group]
        label = f"${group}$" if len(group) == 1 else group
        columns.append((f"gradient_norm.{group}", colour, label, turn))
    for column, colour, label, turn in columns:
        values = samples[column]
        is_total = column == "gradient_norm"
        axes.plot(
            samples["clock"],
            values.where(values > 0),
            color=colour,
            linewidth=0.8 if is_total else 1.2,
            linestyle=(0, (2.5, 2)) if is_total else dash_pattern(turn),
            zorder=3 if is_total else 2,
            label=label,
        )
    axes.set_yscale("log")
    axes.set_ylabel(r"$\|\nabla L\|$ (nats)")

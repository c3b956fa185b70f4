"""The phases of the mixed target: partial learning, plateau, emergence, convergence."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from . import overlays, style
from .columns import Row, drawable, stage_columns
from .run import Run, RunError, Stage


def is_mixed(run: Run) -> bool:
    """Whether the run is one of the mixed target."""
    return "loss.g4" in run.trajectory.columns


def phases_panel(run: Run) -> Figure:
    """Draw both losses, the values v and v₁, the product k, the rates p, and the gradient's norm.

    What the run's claims derive is dashed in black over the losses: 1/(4t) of M1 and the exponential of M6; squares
    are the early drop of M3, the diamond is the time of M4.
    """
    if not is_mixed(run):
        raise RunError(
            f"{run.path / 'trajectory.csv'}: no column loss.g4, so this is no run of the mixed target."
        )
    rows = [
        Row("losses", 1.5, _draw_losses, key=_losses_key),
        Row("values", 1.0, _draw_values, ("v", "v1")),
        Row("product", 0.85, _draw_product, ("w",)),
        Row("rates", 0.85, _draw_rates, ("p", "p1")),
        Row("gradient", 0.95, _draw_gradient),
    ]
    return stage_columns(run, [row for row in rows if row.name != "product" or "k" in run.trajectory])


def _lines(axes: Axes, run: Run, stage: Stage, columns: dict[str, tuple[str, str]]) -> None:
    """Draw columns that the run has, each with its colour and label; what is infinite has no line."""
    samples = drawable(run, stage)
    for name, (colour, label) in columns.items():
        if name in samples and np.isfinite(samples[name]).any():
            axes.plot(samples["clock"], samples[name], color=colour, linewidth=1.4, label=label)


def _draw_losses(axes: Axes, run: Run, stage: Stage) -> None:
    samples = drawable(run, stage)
    columns = {"loss.g4": (style.BLUE, r"$L_{\mathrm{G4}}$"), "loss.ih": (style.VERMILION, r"$L_{\mathrm{IH}}$")}
    for name, (colour, label) in columns.items():
        values = samples[name]
        axes.plot(samples["clock"], values.where(values > 0), color=colour, linewidth=1.8, alpha=0.85, label=label)
    axes.set_yscale("log")
    overlays.draw_losses(axes, run, stage)
    axes.set_ylabel("loss $L$")


def _losses_key(run: Run) -> list[Line2D]:
    key = [Line2D([], [], color=style.BLUE, linewidth=1.4, label=r"$L_{\mathrm{G4}}$")]
    key.append(Line2D([], [], color=style.VERMILION, linewidth=1.4, label=r"$L_{\mathrm{IH}}$"))
    claims = set(run.claims["claim"])
    if claims & {"M1", "M6"}:
        key.append(overlays.derived_key())
    marks = {"M3": ("s", "drop, derived"), "M4": ("D", "$T$, derived")}
    key += [
        Line2D([], [], linestyle="", marker=marker, color=style.BLACK, markerfacecolor="none", markersize=4, label=text)
        for claim, (marker, text) in marks.items()
        if claim in claims
    ]
    return key


def _draw_values(axes: Axes, run: Run, stage: Stage) -> None:
    _lines(axes, run, stage, {"v1": (style.BLUE, "$v_1$"), "v": (style.VERMILION, "$v$")})
    axes.set_ylabel("values $v$, $v_1$")


def _draw_product(axes: Axes, run: Run, stage: Stage) -> None:
    _lines(axes, run, stage, {"k": (style.VERMILION, "$k$")})
    axes.set_ylabel("$k = w_K w_Q$")


def _draw_rates(axes: Axes, run: Run, stage: Stage) -> None:
    _lines(axes, run, stage, {"p": (style.BLUE, "$p$"), "p1": (style.GREEN, "$p_1$")})
    # A single line has no legend, so the axis names it.
    texts = [str(line.get_label()) for line in axes.lines]
    axes.set_ylabel("rates $p$, $p_1$" if len(texts) != 1 else f"rate {texts[0]}")


def _draw_gradient(axes: Axes, run: Run, stage: Stage) -> None:
    samples = drawable(run, stage)
    colours = dict(zip(["p1", "p", "v1", "v", "w"], [style.GREEN, style.SKY, style.BLUE, style.ORANGE, style.VERMILION]))
    texts = {"p1": "$p_1$", "p": "$p$", "v1": "$v_1$", "v": "$v$", "w": "$w$"}
    for group, colour in colours.items():
        if group not in stage.trained:
            continue
        values = samples[f"gradient_norm.{group}"]
        axes.plot(samples["clock"], values.where(values > 0), color=colour, label=texts[group])
    axes.set_yscale("log")
    axes.set_ylabel(r"$\|\nabla L\|$")

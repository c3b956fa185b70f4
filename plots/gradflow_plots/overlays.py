"""Derived laws, dashed over the rows of the stages; every number is one of ``claims.csv`` or where the flow began."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from . import style
from .columns import drawable
from .laws import copying_leaks, growth_exponent, matching, scale_at_rest, selection_rates, selection_time
from .run import Run, Stage

#: Up to this 1 − σ its asymptote is drawn: above it is none.
ASYMPTOTIC = 0.1


def derived_key() -> Line2D:
    """The entry of a legend for what is derived."""
    return Line2D([], [], **style.DERIVED, label="derived")


def derived_shares(run: Run, stage: Stage) -> pd.DataFrame | None:
    """The shares by G2 over the clock of a stage that trains c alone: p_S ∝ p_S(0) e^{−2 r_S t}, r_S derived.

    None where the rate of some set is not known, because shares sum to one only with all of them.
    """
    best, rates = selection_rates(run)
    subsets = run.names("share")
    if stage.trained != ("c",) or not rates or set(subsets) != {best, *rates}:
        return None
    samples = drawable(run, stage)
    start = run.samples(stage).iloc[0]
    clock = samples["clock"].to_numpy()
    rate = np.array([0.0 if subset == best else rates[subset].derived for subset in subsets])
    begin = np.array([start[f"share.{subset}"] for subset in subsets])
    weights = begin * np.exp(-2 * np.outer(clock, rate))
    shares = weights / weights.sum(axis=1, keepdims=True)
    return pd.DataFrame(shares, columns=subsets).assign(clock=clock)


def draw_shares(axes: Axes, run: Run, stage: Stage, shown: list[str]) -> None:
    """G2 for every set that is shown, and G3 as a diamond."""
    shares = derived_shares(run, stage)
    if shares is not None:
        best = selection_rates(run)[0]
        for subset in shown:
            # The other sets lie close together: dots far enough apart to leave their colours.
            look = style.DERIVED if subset == best else {**style.DERIVED, "linestyle": (0, (1, 5)), "linewidth": 0.8}
            axes.plot(shares["clock"], shares[subset], **look, label="_derived")
    time = selection_time(run)
    if time and stage.trained == ("c",):
        share, law = time
        _diamond(axes, law.derived, share, law.model_error)


def draw_attention(axes: Axes, run: Run, stage: Stage) -> None:
    """G4: σ = 1 − K/t, with K from the derived value at the end."""
    if stage.trained != ("w",):
        return
    for clock, law in copying_leaks(run, "asymptote").values():
        at = np.geomspace(law.derived * clock / ASYMPTOTIC, clock, 40)
        if at[0] < clock:
            axes.plot(at, 1 - law.derived * clock / at, **style.DERIVED, label="_derived")


def draw_scale(axes: Axes, run: Run, stage: Stage) -> None:
    """G6 as slope 1/r where the flow ends, G7 as the level at which a comes to rest."""
    samples = drawable(run, stage)
    if stage.trained != ("a",) or samples.empty:
        return
    growth, rest = growth_exponent(run), scale_at_rest(run)
    end = samples.iloc[-1]
    if growth:
        at = np.geomspace(end["clock"] / 1e3, end["clock"], 20)
        axes.plot(at, end["a"] + np.log(at / end["clock"]) / growth.derived, **style.DERIVED, label="derived slope $1/r$")
    if rest:
        axes.axhline(rest.derived, **style.DERIVED, label=r"derived $a_\infty$")


def draw_losses(axes: Axes, run: Run, stage: Stage) -> None:
    """M1 as 1/(4t), M3 as squares, M4 as a diamond, M6 as the exponential at last."""
    samples = drawable(run, stage)
    if samples.empty or "p1" in stage.trained:
        return
    clock, induction = samples["clock"].to_numpy(), samples["loss.ih"].to_numpy()
    for _, law in matching(run, "M1", r"4t·L_G4"):
        at = clock[clock > 0.5 / samples["loss.g4"].iloc[0]]
        axes.plot(at, law.derived / (4 * at), **style.DERIVED, label="_M1")
    start = run.samples(stage)["loss.ih"].iloc[0]
    drops = [
        (float(found[1]), law.derived * start)
        for _, law in matching(run, "M3", r"L_IH/L_IH\(0\)")
        if (found := re.search(r"t = ([\d.e+-]+)", law.note))
    ]
    if drops:
        axes.plot(*zip(*drops, strict=True), "s", color=style.BLACK, markerfacecolor="none", markersize=4, zorder=5,
                  label="_M3")  # fmt: skip
    for _, law in matching(run, "M4", "^T of emergence$"):
        _diamond(axes, law.derived, float(np.interp(law.derived, clock, induction)), law.model_error)
    reached = run.reached(stage)
    done = reached[reached["name"] == "convergence"]["clock"]
    for _, law in matching(run, "M6", "^rate of log L_IH"):
        after = clock[clock >= done.iloc[0]] if len(done) else clock[:0]
        if len(after) > 1:
            values = induction[clock >= done.iloc[0]]
            # Anchored where only the slowest mode is left, two powers of ten below convergence.
            place = int(np.argmax(values < 1e-2 * values[0]))
            fine = np.geomspace(after[0], after[-1], 400)
            line = values[place] * np.exp(law.derived * (fine - after[place]))
            keep = line > max(induction[induction > 0].min(), line.max() * 1e-12)
            axes.plot(fine[keep], line[keep], **style.DERIVED, label="_M6")


def _diamond(axes: Axes, time: float, value: float, error: float) -> None:
    low, high = axes.get_xlim()
    axes.errorbar(
        [time], [value], xerr=[error], marker="D", markersize=4.5, color=style.BLACK, markerfacecolor="none",
        elinewidth=0.8, capsize=2, zorder=6, label="_derived", linestyle="",
    )  # fmt: skip
    axes.set_xlim(low, high)

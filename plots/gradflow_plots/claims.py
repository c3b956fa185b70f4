"""Measured over derived: every law of a run or of many, with its interval and how far the law itself may be off."""

from __future__ import annotations

import re

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from . import style
from .laws import Law, laws_of
from .run import Run
from .sweep import Sweep
from .tables import RunError

#: So many statements have a line of their own; more are drawn together, one line for each claim.
MOST_LINES = 24

_MARKERS = {"holds": "o", "rejected": "X"}


def ratio_laws(source: Run | Sweep) -> list[Law]:
    """The laws with something to divide by: neither bounds nor laws that say 0."""
    claims = source.claims
    laws = laws_of(claims.dropna(subset=["derived", "measured"]).assign(flow="", note=""))
    return [law for law in laws if law.derived and not law.is_bound]


def claims_chart(source: Run | Sweep) -> Figure:
    """Draw measured over derived with the interval of what was measured, over a band of the law's own error."""
    laws = ratio_laws(source)
    if not laws:
        raise RunError(f"{source.path}: claims.csv has no law with a derived number other than 0; add claims.")
    is_single = len(laws) <= MOST_LINES
    names = [_text(law) for law in laws] if is_single else list(dict.fromkeys(law.claim for law in laws))
    with mpl.rc_context(style.complete()):
        width = 5.0 if is_single else style.COLUMN
        figure = Figure(figsize=(width, 0.85 + 0.17 * len(names)), layout="constrained")
        axes = figure.add_subplot(label="claims")
        axes.axvline(1, color=style.GREY, linewidth=0.8, zorder=1)
        for number, law in enumerate(laws):
            row = number if is_single else names.index(law.claim)
            _draw_law(axes, law, row, is_single)
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.margins(x=0.08)
        axes.locator_params(axis="x", nbins=6)
        axes.set_xlabel("measured / derived")
        axes.set_ylabel("law")
        axes.grid(axis="x", color=style.GRID, linewidth=0.5)
        axes.set_axisbelow(True)
        handles = [
            Line2D([], [], linestyle="", marker=_MARKERS[verdict], color=_colour(verdict), markersize=4, label=verdict)
            for verdict in ("holds", "rejected")
            if any(law.verdict == verdict for law in laws)
        ]
        if any(law.model_error for law in laws):
            handles.append(Patch(facecolor=style.SKY, alpha=0.35, label="error of the law"))
        figure.legend(handles=handles, loc="outside upper right", ncols=len(handles))
    return figure


def _draw_law(axes: Axes, law: Law, row: int, is_single: bool) -> None:
    ends = np.sort(np.array([law.lower, law.upper]) / law.derived)
    off = abs(law.model_error / law.derived)
    if off:
        axes.fill_betweenx([row - 0.36, row + 0.36], 1 - off, 1 + off, facecolor=style.SKY, linewidth=0, zorder=0,
                           alpha=0.35 if is_single else 0.08)  # fmt: skip
    errors = np.maximum([[law.ratio - ends[0]], [ends[1] - law.ratio]], 0)
    axes.errorbar(
        [law.ratio], [row], xerr=np.where(np.isfinite(errors), errors, 0), marker=_MARKERS.get(law.verdict, "o"),
        color=_colour(law.verdict), markersize=3.2, elinewidth=1.0, capsize=1.8, linestyle="", label=law.statement,
        alpha=1 if is_single else 0.5, zorder=3,
    )  # fmt: skip


def _colour(verdict: str) -> str:
    return style.BLUE if verdict == "holds" else style.VERMILION


def _text(law: Law) -> str:
    """The claim and its statement, short enough for a margin."""
    text = re.sub(r"(\$|\\)", r"\\\1", law.statement)
    text = text.replace("S*", "$S_\\ast$").replace("_$S_\\ast$", "_{S*}")
    text = re.sub(r"ln\(c_\{S\*\}/c_S\) slope, \$S_\\ast\$=\{[^}]*\}, S=", "slope of ln(c*/c) for S=", text)
    text = re.sub(r", \$S_\\ast\$=\{[^}]*\}$", "", text)
    text = text.replace("p_{S*}", "the share")
    return f"{law.claim}  {text if len(text) <= 52 else text[:51] + '…'}"

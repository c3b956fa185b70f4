"""How the figures look: sizes for a page seven inches wide, and colours all eyes can tell apart."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl

#: Okabe and Ito's palette without black and yellow, which is too pale for thin lines.
BLUE = "#0072B2"
VERMILION = "#D55E00"
GREEN = "#009E73"
PURPLE = "#CC79A7"
SKY = "#56B4E9"
ORANGE = "#E69F00"
PALETTE = [BLUE, VERMILION, GREEN, PURPLE, SKY, ORANGE]

BLACK = "#000000"
GREY = "#666666"
#: Behind what a stage trains.
TINT = "#FBF6E6"

RC: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib, so it is the same everywhere
    "mathtext.fontset": "dejavusans",
    "font.size": 7.5,
    "axes.labelsize": 7.5,
    "axes.titlesize": 8,
    "legend.fontsize": 7,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.direction": "out",
    "ytick.direction": "out",
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "lines.linewidth": 1.1,
    "lines.solid_capstyle": "round",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "legend.frameon": False,
    "legend.handlelength": 1.7,
    "legend.handletextpad": 0.5,
    "legend.labelspacing": 0.25,
    "legend.borderaxespad": 0,
    "svg.hashsalt": "gradflow",
    "pdf.fonttype": 42,  # TrueType: journals refuse Type 3
}


def complete() -> Any:
    """Return every setting, so that a user's own ones change nothing."""
    return {**dict(mpl.rcParamsDefault.items()), **RC, "backend": "agg"}

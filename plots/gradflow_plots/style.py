"""How the figures look: sizes for a page of two columns, and colours all eyes can tell apart, also without colour."""

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
PALE = "#BBBBBB"
PAPER = "#FFFFFF"
#: Behind what a stage trains.
TINT = "#FBF6E6"
GRID = "#E5E5E5"

#: What theory derives, over what the flow shows.
DERIVED: dict[str, Any] = {"color": BLACK, "linestyle": (0, (3.5, 2)), "linewidth": 0.9, "zorder": 4}
#: Markers that differ in grey.
MARKERS = ["o", "s", "^", "D", "v", "P", "X", "*"]

#: Widths in inches: one column of a journal, and both.
COLUMN, PAGE = 3.4, 7.0

#: Each colour of these figures on a dark page; colours that are not named stay.
DARK = {
    BLACK: "#E8E6E3",
    GREY: "#A3A09B",
    PALE: "#5C5A57",
    PAPER: "#1B1B1D",
    TINT: "#2A2720",
    GRID: "#38383B",
    BLUE: "#4FA8E0",
    VERMILION: "#F0803C",
    GREEN: "#2EC49A",
    PURPLE: "#DB9ABD",
    SKY: "#7CC7F0",
    ORANGE: "#EDB63A",
}

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
    "figure.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "hatch.linewidth": 0.6,
    "hatch.color": GREY,
    "svg.hashsalt": "gradflow",
    "svg.fonttype": "path",  # the same shapes on every machine, whatever fonts it has
    "pdf.fonttype": 42,  # TrueType: journals refuse Type 3
}


def complete() -> Any:
    """Return every setting, so that a user's own ones change nothing."""
    return {**dict(mpl.rcParamsDefault.items()), **RC, "backend": "agg"}

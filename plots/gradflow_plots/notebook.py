"""What notebooks need beside the figures: a figure as a cell's output, at a size for a page."""

from __future__ import annotations

import io
from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.figure import Figure

from . import style
from .saving import METADATA, settle

#: Dots per inch of pictures in notebooks: sharp on a screen, and small enough to be kept with their outputs.
RESOLUTION = 120


@dataclass(frozen=True)
class Picture:
    """A drawn figure, which notebooks show as what it is."""

    png: bytes
    width: float  # inches
    height: float

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """Return the picture and how wide it is shown, in dots of 1/96 inch."""
        return self.png, {"width": round(96 * self.width)}

    def __repr__(self) -> str:
        return f"<figure of {self.width:.2g} by {self.height:.2g} inches>"


def show(figure: Figure, *, resolution: int = RESOLUTION) -> Picture:
    """Draw a figure for a notebook; the same figure gives the same bytes, whatever the notebook's settings."""
    settle(figure)
    file = io.BytesIO()
    with mpl.rc_context(style.complete()):
        figure.savefig(file, format="png", dpi=resolution, metadata=METADATA["png"])
    width, height = figure.get_size_inches()
    return Picture(file.getvalue(), float(width), float(height))

"""Whether a figure can be read: what is written lies on the page, apart from each other, and off the data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from gradflow_plots.saving import settle

#: Dots per inch at which boxes are measured, and by how many dots they may touch.
RESOLUTION, SLACK = 200, 1.0
#: The smallest letters in points.
SMALLEST = 6.0


@contextmanager
def _recording(boxes: list[tuple[Text, Bbox]]) -> Iterator[None]:
    original = Text.draw

    def draw(self, renderer):  # type: ignore[no-untyped-def]
        original(self, renderer)
        if self.get_visible() and self.get_text().strip():
            boxes.append((self, self.get_window_extent(renderer)))

    Text.draw = draw  # type: ignore[method-assign]
    try:
        yield
    finally:
        Text.draw = original  # type: ignore[method-assign]


def drawn_texts(figure: Figure) -> list[tuple[Text, Bbox]]:
    """Return every text that is really drawn, with its box in dots."""
    settle(figure)
    figure.set_dpi(RESOLUTION)
    canvas = FigureCanvasAgg(figure)
    boxes: list[tuple[Text, Bbox]] = []
    with _recording(boxes):
        canvas.draw()
    return boxes


def complaints(figure: Figure) -> list[str]:
    """Return what cannot be read, in words; nothing when all is well."""
    texts = drawn_texts(figure)
    width, height = figure.get_size_inches() * RESOLUTION
    found = []
    for index, (one, box) in enumerate(texts):
        name = repr(one.get_text())
        if box.x0 < -SLACK or box.y0 < -SLACK or box.x1 > width + SLACK or box.y1 > height + SLACK:
            found.append(f"{name} leaves the page")
        if one.get_fontsize() < SMALLEST:
            found.append(f"{name} has {one.get_fontsize()} points")
        found += [
            f"{name} overlaps {other.get_text()!r}"
            for other, place in texts[:index]
            if _shared(box, place) > 0
        ]
    return found + _covered(figure) + _nameless(figure)


def _shared(one: Bbox, other: Bbox) -> float:
    wide = min(one.x1, other.x1) - max(one.x0, other.x0) - SLACK
    high = min(one.y1, other.y1) - max(one.y0, other.y0) - SLACK
    return wide * high if wide > 0 and high > 0 else 0.0


def _covered(figure: Figure) -> list[str]:
    """Legends that lie over a line of their axes."""
    found = []
    for axes in figure.axes:
        legend = axes.get_legend()
        if legend is None:
            continue
        box, panel = legend.get_window_extent(), axes.get_window_extent()
        for line in axes.lines:
            path = line.get_path().transformed(line.get_transform())
            points = path.interpolated(20).vertices if len(path.vertices) > 1 else path.vertices
            points = points[np.isfinite(points).all(axis=1)]
            if any(box.contains(*point) and panel.contains(*point) for point in points):
                found.append(f"the legend of {axes.get_label()!r} covers {line.get_label()!r}")
    return found


def _nameless(figure: Figure) -> list[str]:
    """Axes with ticks that have numbers but no words anywhere in their row or column."""
    found = []
    for axes in figure.axes:
        if axes.get_label() in ("events", "<colorbar>", "colours"):
            continue
        for name, axis in (("x", axes.xaxis), ("y", axes.yaxis)):
            siblings = axes.get_shared_x_axes() if name == "x" else axes.get_shared_y_axes()
            group = [axes, *siblings.get_siblings(axes)]
            place = (lambda box: (box.x0, box.x1)) if name == "x" else (lambda box: (box.y0, box.y1))
            here = place(axes.get_position())
            group += [other for other in figure.axes if np.allclose(place(other.get_position()), here, atol=0.02)]
            words = [(one.xaxis if name == "x" else one.yaxis).get_label_text() for one in group]
            if axis.get_major_ticks() and not any(words):
                found.append(f"the {name} axis of {axes.get_label()!r} has no name")
    return found

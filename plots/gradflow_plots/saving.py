"""Writing figures: whole files, and the same bytes each time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from . import style
from .run import RunError

# Dates and versions would change the bytes of an equal figure.
METADATA: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


def settle(figure: Figure) -> None:
    """Lay a figure out once and for all, so that no format and no second time moves anything."""
    if figure.get_layout_engine() is None:
        return
    resolution = figure.get_dpi()
    with mpl.rc_context(style.complete()):
        # Where dots are coarse, letters are wider or narrower than in print.
        figure.set_dpi(200)
        # The sizes of axes decide how many ticks they have, and the widths of those the sizes of axes.
        for _ in range(3):
            figure.draw_without_rendering()
        figure.set_dpi(resolution)
    figure.set_layout_engine("none")


def save_figure(figure: Figure, path: str | Path, *, resolution: int = 300) -> Path:
    """Write a figure as PNG, SVG or PDF, as the ending of ``path`` says; ``resolution`` in dots per inch."""
    target = Path(path)
    kind = target.suffix.removeprefix(".").lower()
    if kind not in METADATA:
        raise RunError(f"{target}: the name must end in .png, .svg or .pdf.")
    settle(figure)
    with written_aside(target) as aside:
        target.parent.mkdir(parents=True, exist_ok=True)
        with mpl.rc_context(style.complete()):
            figure.savefig(aside, format=kind, dpi=resolution, metadata=METADATA[kind])
    return target


@contextmanager
def written_aside(target: Path) -> Iterator[Path]:
    """Give a file beside ``target`` to write, which takes its place at the end; raise ``RunError`` if it cannot be written."""
    aside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        yield aside
        aside.replace(target)
    except OSError as error:
        raise RunError(f"{target}: cannot be written: {error.strerror}. What to do: name another place.") from error
    finally:
        if aside.parent.is_dir():
            aside.unlink(missing_ok=True)

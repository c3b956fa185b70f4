"""Writing figures: whole files, and the same bytes each time."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from . import style
from .run import RunError

# Dates and versions would change the bytes of an equal figure.
_METADATA: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


def save_figure(figure: Figure, path: str | Path) -> Path:
    """Write a figure as PNG (300 dpi), SVG or PDF, as the ending of ``path`` says."""
    target = Path(path)
    kind = target.suffix.removeprefix(".").lower()
    if kind not in _METADATA:
        raise RunError(f"{target}: the name must end in .png, .svg or .pdf.")
    aside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with mpl.rc_context(style.complete()):
            figure.savefig(aside, format=kind, dpi=300, metadata=_METADATA[kind])
        aside.replace(target)
    except OSError as error:
        raise RunError(f"{target}: cannot be written: {error.strerror}.") from error
    finally:
        if aside.parent.is_dir():
            aside.unlink(missing_ok=True)
    return target

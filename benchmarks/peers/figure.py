"""The work-precision figure of records that were just measured; ``gradflow_plots`` draws it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradflow_plots
import pandas as pd
from gradflow_plots import Benchmarks, save_figure
from gradflow_plots.gallery import RESOLUTION
from matplotlib.figure import Figure

from .report import COLUMNS

Record = dict[str, Any]


def work_precision(records: list[Record], limit: float) -> Figure:
    """Draw seconds over the largest distance to the reference, as ``gradflow_plots.work_precision`` does."""
    table = pd.DataFrame(records, columns=list(COLUMNS))
    # As they stand in peers.csv.
    texts = {name: table[name].map(lambda value: "" if pd.isna(value) else str(value)) for name in _TEXTS}
    numbers = {name: pd.to_numeric(table[name]) for name in ("rtol", "rate", "seconds", "distance_max")}
    peers = table.assign(**texts, **numbers)
    return gradflow_plots.work_precision(Benchmarks(Path("results"), peers, pd.DataFrame(), {"limit": limit}))


_TEXTS = ("peer", "solver", "gradient", "jacobian", "event_errors", "rate_is_share", "status")


def save(records: list[Record], limit: float, path: Path) -> Path:
    """Write the figure, with the bytes that the gallery gives it."""
    return save_figure(work_precision(records, limit), path, resolution=RESOLUTION)

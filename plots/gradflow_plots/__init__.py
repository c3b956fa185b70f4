"""Figures of gradflow runs, drawn from run directories alone."""

from .panel import three_stage_panel
from .phases import phases_panel
from .plane import Plane, load_plane, phase_portrait
from .run import Run, RunError, Stage, load_run
from .saving import save_figure
from .training import training_panel

__all__ = [
    "Plane",
    "Run",
    "RunError",
    "Stage",
    "load_plane",
    "load_run",
    "phase_portrait",
    "phases_panel",
    "save_figure",
    "three_stage_panel",
    "training_panel",
]

"""Figures of gradflow runs, drawn from run directories alone."""

from .panel import three_stage_panel
from .phases import phases_panel
from .run import Run, RunError, Stage, load_run
from .saving import save_figure
from .training import training_panel

__all__ = ["Run", "RunError", "Stage", "load_run", "phases_panel", "save_figure", "three_stage_panel", "training_panel"]

"""Figures of gradflow runs, drawn from run directories alone."""

from .panel import three_stage_panel
from .run import Run, RunError, Stage, load_run
from .saving import save_figure

__all__ = ["Run", "RunError", "Stage", "load_run", "save_figure", "three_stage_panel"]

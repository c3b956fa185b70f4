"""Figures of gradflow, drawn from run directories alone.

``load`` reads whatever a directory holds, ``FIGURES`` names what can be drawn of it; each figure is a function from
such a source to a matplotlib figure, and the same files give the same bytes::

    from gradflow_plots import FIGURES, figures_for, load, save_figure

    run = load("runs/0001-three-stage")
    for kind in figures_for(run):
        save_figure(kind.draw(run), f"{kind.name}.svg")
"""

from .attention import attention_maps
from .benchmarks import Benchmarks, gradient_speed, load_benchmarks, work_precision
from .claims import claims_chart
from .diagram import phase_diagram
from .generalisation import Evaluation, generalisation, load_evaluation
from .information import Information, information_chart, load_information
from .leaders import leader_diagram
from .panel import three_stage_panel
from .phases import phases_panel
from .plane import Plane, load_plane, phase_portrait
from .rates import rate_panels
from .registry import FIGURES, FigureKind, figures_for, load
from .run import Run, Stage, load_run
from .saving import save_figure
from .scaling import emergence_scaling
from .solver import solver_history
from .svg import figure_svg, theme_css
from .sweep import Axis, Sweep, load_sweep
from .tables import RunError
from .training import convergence, training_panel

__all__ = [
    "FIGURES",
    "Axis",
    "Benchmarks",
    "Evaluation",
    "FigureKind",
    "Information",
    "Plane",
    "Run",
    "RunError",
    "Stage",
    "Sweep",
    "attention_maps",
    "claims_chart",
    "convergence",
    "emergence_scaling",
    "figure_svg",
    "figures_for",
    "generalisation",
    "gradient_speed",
    "information_chart",
    "leader_diagram",
    "load",
    "load_benchmarks",
    "load_evaluation",
    "load_information",
    "load_plane",
    "load_run",
    "load_sweep",
    "phase_diagram",
    "phase_portrait",
    "phases_panel",
    "rate_panels",
    "save_figure",
    "solver_history",
    "theme_css",
    "three_stage_panel",
    "training_panel",
    "work_precision",
]

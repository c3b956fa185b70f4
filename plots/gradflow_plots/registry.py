"""All figures by name: what they are drawn from, when they apply, and what they show in one line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from .attention import attention_maps
from .benchmarks import Benchmarks, gradient_speed, is_benchmarks, load_benchmarks, work_precision
from .claims import claims_chart, ratio_laws
from .diagram import has_times, phase_diagram
from .generalisation import Evaluation, generalisation, is_evaluation, load_evaluation
from .information import Information, information_chart, is_information, load_information
from .leaders import has_leaders, leader_diagram
from .panel import three_stage_panel
from .phases import is_mixed, phases_panel
from .plane import Plane, is_plane, load_plane, phase_portrait
from .rates import has_rates, rate_panels
from .run import Run, load_run
from .scaling import emergence_scaling, has_emergence
from .solver import solver_history
from .sweep import Sweep, is_sweep, load_sweep
from .training import convergence, has_convergence, has_training, training_panel

Source = Run | Sweep | Plane | Information | Evaluation | Benchmarks


@dataclass(frozen=True)
class FigureKind:
    """A figure that can be drawn: ``draw`` takes a source of ``of`` for which ``applies`` is true."""

    name: str
    of: tuple[type, ...]
    applies: Callable[[Any], bool]
    draw: Callable[[Any], Figure]
    caption: str

    def suits(self, source: Source) -> bool:
        """Whether the figure can be drawn of a source."""
        return isinstance(source, self.of) and self.applies(source)


def _always(_: Any) -> bool:
    return True


def _is_staged(run: Run) -> bool:
    return bool(run.names("share") and run.names("attention") and "a" in run.trajectory.columns)


_KINDS = [
    FigureKind("three-stage", (Run,), _is_staged, three_stage_panel,
               "Shares, attention, a, loss and gradient over the clock of each stage; located events with their error "
               "bars; derived laws dashed."),
    FigureKind("phases", (Run,), is_mixed, phases_panel,
               "The four phases of the mixed target: both losses, values, product of keys and queries, rates, gradient; "
               "derived laws dashed."),
    FigureKind("rates", (Run,), has_rates, rate_panels,
               "The laws as straight lines: ln(c_S*/c_S) over t, 1 − σ in log–log, a over log t, with measured over "
               "derived."),
    FigureKind("attention", (Run,), lambda run: bool(run.names("attention")), attention_maps,
               "Where each head looks: attention over the lags through time."),
    FigureKind("training", (Run,), has_training, training_panel,
               "Discrete optimisers beside the exact flow, and their distance from it."),
    FigureKind("convergence", (Run,), has_convergence, convergence,
               "Gradient descent tends to the flow at first order in the learning rate; sharpness over its limit."),
    FigureKind("generalisation", (Run, Evaluation),
               lambda source: isinstance(source, Evaluation) or source.evaluation is not None, generalisation,
               "The trained model on other lengths and priors, beside its limit, the true kernel and in-context Bayes."),
    FigureKind("claims", (Run, Sweep), lambda source: bool(ratio_laws(source)), claims_chart,
               "Measured over derived for every law, with its interval and the error of the law."),
    FigureKind("solver", (Run,), lambda run: not run.steps.empty, solver_history,
               "What the solver did: step size, order, local error and gradients computed."),
    FigureKind("phase-portrait", (Plane,), _always, phase_portrait,
               "The flow in a plane: field, paths, nullclines, fixed points by their kind."),
    FigureKind("phase-diagram", (Sweep,), has_times, phase_diagram,
               "Times of the events over two swept keys; hatched where an event was not reached."),
    FigureKind("leaders", (Sweep,), has_leaders, leader_diagram,
               "Which set of lags is selected over two swept keys, with the mean share of what is selected; hatched where replicates "
               "differ, white where no set has most of them."),
    FigureKind("emergence-scaling", (Sweep,), has_emergence, emergence_scaling,
               "The time of emergence over length and size of the start, beside the derived one."),
    FigureKind("information", (Information,), _always, information_chart,
               "What every set of lags tells about the next token, with two standard errors; S* is filled."),
    FigureKind("work-precision", (Benchmarks,), _always, work_precision,
               "Time against distance to the reference, gradflow beside other solvers."),
    FigureKind("gradient-speed", (Benchmarks,), _always, gradient_speed,
               "The time of one gradient, gradflow beside other programs."),
]  # fmt: skip

#: Every figure by its name, those that show the question first.
FIGURES: dict[str, FigureKind] = {kind.name: kind for kind in _KINDS}


def load(path: str | Path, *, allow_incomplete: bool = False) -> Source:
    """Read whatever a path holds: a run, a sweep, a plane, an evaluation, informations, benchmarks.

    Raise ``RunError`` with what is wrong where it is none of them.
    """
    folder = Path(path)
    if is_plane(folder):
        return load_plane(folder)
    if is_benchmarks(folder):
        return load_benchmarks(folder)
    if is_information(folder):
        return load_information(folder)
    if is_evaluation(folder):
        return load_evaluation(folder)
    if is_sweep(folder):
        return load_sweep(folder)
    return load_run(folder, allow_incomplete=allow_incomplete)


def figures_for(source: Source) -> list[FigureKind]:
    """The figures that can be drawn of a source, in the order of ``FIGURES``."""
    return [kind for kind in FIGURES.values() if kind.suits(source)]

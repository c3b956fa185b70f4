"""Draw the figure of a run: ``python -m gradflow_plots RUN``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .panel import three_stage_panel
from .phases import is_mixed, phases_panel
from .plane import is_plane, load_plane, phase_portrait
from .run import RunError, inner_runs, load_run
from .saving import save_figure
from .training import has_training, training_panel


#: So many runs of one experiment are drawn at most when none of them is named.
MOST_RUNS = 12


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; give its exit code: 0 done, 2 bad input."""
    parser = argparse.ArgumentParser(
        prog="python -m gradflow_plots",
        description="Draw the stages of a run: what is learnt, loss and gradient, with the located events; "
        "of a run of gradflow phase-plane the phase portrait.",
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder of a run")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="where to write the figure of the stages, or with --training that of the optimisers: .png, .svg or "
        ".pdf (default: both, as RUN/figures/three-stage.png, phases.png or phase-portrait.png, and training.png)",
    )
    parser.add_argument(
        "--training", action="store_true", help="draw only the optimisers beside the flow"
    )
    parser.add_argument(
        "--partial", action="store_true", help="also draw a run that did not finish"
    )
    options = parser.parse_args(arguments)
    inner = inner_runs(options.run)
    if inner and options.out is None:
        if len(inner) > MOST_RUNS:
            print(f"note: drawing the first {MOST_RUNS} of {len(inner)} runs", file=sys.stderr)
        codes = [draw(run, None, options) for run in inner[:MOST_RUNS]]
        return max(codes)
    return draw(options.run, options.out, options)


def draw(folder: Path, out: Path | None, options: argparse.Namespace) -> int:
    """Draw one run, by default into a folder of its own; give the exit code."""
    try:
        if is_plane(folder):
            figure = phase_portrait(load_plane(folder))
            print(save_figure(figure, out or folder / "figures" / "phase-portrait.png"))
            return 0
        run = load_run(folder, allow_incomplete=options.partial)
        if not options.training:
            figure = phases_panel(run) if is_mixed(run) else three_stage_panel(run)
            name = "phases.png" if is_mixed(run) else "three-stage.png"
            print(save_figure(figure, out or folder / "figures" / name))
        if options.training or (out is None and has_training(run)):
            print(save_figure(training_panel(run), out or folder / "figures" / "training.png"))
    except RunError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

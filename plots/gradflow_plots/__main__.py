"""Draw the figure of a run: ``python -m gradflow_plots RUN``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .panel import three_stage_panel
from .run import RunError, load_run
from .saving import save_figure


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; give its exit code: 0 done, 2 bad input."""
    parser = argparse.ArgumentParser(
        prog="python -m gradflow_plots",
        description="Draw the stages of a run: shares, attention, a, loss and gradient.",
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder of a run")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="where to write: .png, .svg or .pdf (default: RUN/figures/three-stage.png)",
    )
    parser.add_argument(
        "--partial", action="store_true", help="also draw a run that did not finish"
    )
    options = parser.parse_args(arguments)
    out = options.out or options.run / "figures" / "three-stage.png"
    try:
        run = load_run(options.run, allow_incomplete=options.partial)
        print(save_figure(three_stage_panel(run), out))
    except RunError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Draw what a directory holds: ``python -m gradflow_plots RUN``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .registry import FIGURES, figures_for, load
from .run import inner_runs
from .saving import save_figure
from .sweep import is_sweep
from .tables import RunError

#: So many runs of one experiment are drawn at most when none of them is named.
MOST_RUNS = 12


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; give its exit code: 0 done, 2 bad input."""
    options = _parser().parse_args(arguments)
    try:
        if options.list:
            return _list(options)
        if options.path is None:
            raise RunError("no folder is named; give that of a run, or --list to see all figures.")
        if options.out is not None and options.out.suffix and (options.only is None or len(options.only) != 1):
            options.only = [_first(options)]
        return _draw(options.path, options)
    except RunError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m gradflow_plots",
        description="Draw all figures that apply to a directory: a run, a sweep, a phase plane, an evaluation, the CSV "
        "of gradflow information, or results of the benchmarks.",
    )
    parser.add_argument("path", type=Path, metavar="RUN", nargs="?", help="the folder of a run or the like")
    parser.add_argument(
        "--only", metavar="NAME", action="append", choices=list(FIGURES), help="draw this figure; may be repeated"
    )
    parser.add_argument("--list", action="store_true", help="say which figures apply to RUN, or all there are")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="PLACE",
        help="a folder for the figures (default: RUN/figures), or a file ending in .png, .svg or .pdf for one figure, "
        "the first that applies or that of --only",
    )
    parser.add_argument("--format", choices=["png", "svg", "pdf"], default="png", help="of files in a folder")
    parser.add_argument("--partial", action="store_true", help="also draw a run that did not finish")
    return parser


def _list(options: argparse.Namespace) -> int:
    kinds = list(FIGURES.values())
    if options.path is not None:
        kinds = figures_for(load(options.path, allow_incomplete=options.partial))
    width = max((len(kind.name) for kind in kinds), default=0)
    for kind in kinds:
        print(f"{kind.name:<{width}}  {kind.caption}")
    return 0


def _first(options: argparse.Namespace) -> str:
    """The name of the figure that a single file holds."""
    kinds = figures_for(load(options.path, allow_incomplete=options.partial))
    names = [kind.name for kind in kinds if options.only is None or kind.name in options.only]
    if not names:
        raise RunError(f"{options.path}: no figure applies; --list says which there are.")
    return names[0]


def _draw(path: Path, options: argparse.Namespace) -> int:
    """Draw one directory, and of several runs of one experiment each; give the largest exit code."""
    inner = inner_runs(path)
    code = 0
    if is_sweep(path) or not inner:
        _draw_one(path, options, must=not inner)
    if inner and not (path / "ledger.jsonl").is_file() and options.out is None:
        if len(inner) > MOST_RUNS:
            print(f"note: drawing the first {MOST_RUNS} of {len(inner)} runs", file=sys.stderr)
        for run in inner[:MOST_RUNS]:
            try:
                _draw_one(run, options, must=False)
            except RunError as error:
                print(f"error: {error}", file=sys.stderr)
                code = 2
    elif inner and not is_sweep(path):
        load(path)  # says that this holds several runs
    return code


def _draw_one(path: Path, options: argparse.Namespace, *, must: bool) -> None:
    source = load(path, allow_incomplete=options.partial)
    kinds = [kind for kind in figures_for(source) if options.only is None or kind.name in options.only]
    if options.only and must:
        missing = [name for name in options.only if name not in {kind.name for kind in kinds}]
        if missing:
            if isinstance(source, FIGURES[missing[0]].of):
                FIGURES[missing[0]].draw(source)  # says what the files lack
            names = ", ".join(kind.name for kind in figures_for(source))
            raise RunError(f"{path}: {', '.join(missing)} cannot be drawn of it; what applies: {names or 'nothing'}.")
    if not kinds and must:
        raise RunError(f"{path}: no figure applies to what it holds; --list says which there are.")
    out = options.out or (path if path.is_dir() else path.parent) / "figures"
    for kind in kinds:
        target = out if out.suffix else out / f"{kind.name}.{options.format}"
        print(save_figure(kind.draw(source), target), flush=True)


if __name__ == "__main__":
    sys.exit(main())

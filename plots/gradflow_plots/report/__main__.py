"""Write a report: ``python -m gradflow_plots.report RUN...``."""

from __future__ import annotations

import argparse
import os
import stat
import sys
from pathlib import Path
from typing import NoReturn

from ..saving import written_aside
from ..tables import RunError
from .page import MARK, page
from .subject import read_subject

#: A page that is larger is named, with its size.
LARGE = 2_000_000


class _Parser(argparse.ArgumentParser):
    """A parser whose errors look like all others of gradflow."""

    def error(self, message: str) -> NoReturn:
        print(f"gradflow: {message}. What to do: {self.prog} --help says what it takes.", file=sys.stderr)
        raise SystemExit(2)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; give its exit code: 0 done, 2 bad input."""
    options = _parser().parse_args(arguments)
    try:
        out = _target(options)
        _check(out)
        subjects = [read_subject(path, is_partial=options.partial) for path in options.path]
        _write(out, page(subjects))
    except RunError as error:
        message = str(error)
        if "What to do:" not in message:
            message += " What to do: give the folder of a run, a sweep, a phase plane or an evaluation."
        print(f"gradflow: {message}", file=sys.stderr)
        return 2
    size = out.stat().st_size
    if size > LARGE:
        print(f"note: the page has {size / 1e6:.1f} MB; fewer runs make a smaller one", file=sys.stderr)
    for subject in subjects:
        if not subject.is_whole:
            print(f"note: {subject.path} is not complete, and the page says so", file=sys.stderr)
    print(out)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=os.environ.get("GRADFLOW_REPORT_NAME", "gradflow report"),
        description="Write one HTML page of a run or of several: question, claims with verdicts, phase times, figures, "
        "solver quality, provenance, and how to run it again. It needs no network and no other file.",
        epilog="Exit codes: 0 done; 2 bad input or usage, and nothing is written.",
    )
    parser.add_argument(
        "path", type=Path, metavar="RUN", nargs="+",
        help="the folder of a run, of several flows, a sweep, a phase plane, an evaluation, or the CSV of gradflow "
        "information",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, metavar="FILE.html",
        help="where the page goes (default: RUN/report.html, of several runs report.html here)",
    )  # fmt: skip
    parser.add_argument("--partial", action="store_true", help="also report a run that did not finish, as far as it came")
    return parser


def _target(options: argparse.Namespace) -> Path:
    distinct = {path.resolve() for path in options.path}
    if len(distinct) < len(options.path):
        raise RunError("the same run is named twice. What to do: name each run once.")
    if options.out is not None:
        if options.out.suffix.lower() not in (".html", ".htm"):
            raise RunError(f"{options.out}: a page's name ends in .html. What to do: --out {options.out}.html, for example.")
        return Path(options.out)
    if len(options.path) > 1:
        return Path("report.html")
    only: Path = options.path[0]
    return (only if only.is_dir() or not only.exists() else only.parent) / "report.html"


def _check(out: Path) -> None:
    """Raise ``RunError`` where something else than a report of ours would be lost."""
    try:
        state = out.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise RunError(f"{out}: cannot be written: {error.strerror}. What to do: --out names another file.") from error
    is_ours = False
    if stat.S_ISREG(state.st_mode):
        try:
            with out.open("rb") as file:
                is_ours = MARK.encode() in file.read(2000)
        except OSError:
            is_ours = False
    if not is_ours:
        raise RunError(f"{out}: stands already and is no report of gradflow. What to do: --out names another file.")


def _write(out: Path, text: str) -> None:
    if not out.parent.is_dir():
        raise RunError(f"{out.parent}: found no such folder. What to do: create it, or --out names a file elsewhere.")
    with written_aside(out) as aside, aside.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


if __name__ == "__main__":
    sys.exit(main())

"""The gallery: flows from a list, then figures of them: ``python -m gradflow_plots.gallery``.

Flows that stand are not run again, interrupted ones go on, and a run whose entry, experiment or program has
changed is made anew. The same run directories give the same bytes.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .registry import FIGURES, load
from .saving import save_figure
from .tables import RunError

#: Dots per inch of the page's PNGs: sharp on a screen at twice their width of 96 dots.
RESOLUTION = 200


@dataclass(frozen=True)
class GalleryRun:
    """A folder of runs: a command of gradflow with its experiment."""

    name: str
    experiment: str
    command: str = "run"
    set: list[str] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)

    def commands(self, folder: Path) -> list[list[str]]:
        """The arguments of gradflow, one list per call, the same ones for the first time and to go on."""
        changes = [part for change in self.set for part in ("--set", change)]
        start = [self.experiment, *changes, *self.arguments]
        match self.command:
            case "run":
                return [["run", *start, "--out", str(folder), "--resume"]]
            case "phase-plane":
                return [["phase-plane", *start, "--out", str(folder)]]
            case "information":
                return [["information", *start, "--csv", str(folder / "information.csv")]]
            case "sweep":
                plan = [] if (folder / "ledger.jsonl").is_file() else [["sweep", "plan", *start, "--out", str(folder)]]
                return [*plan, ["sweep", "run", str(folder)], ["sweep", "collect", str(folder)]]
            case _:
                known = "run, sweep, phase-plane or information"
                raise RunError(f"gallery: {self.name} has the command {self.command}; use {known}.")

    def stamp(self, program: str) -> str:
        """What the runs depend on, as a SHA-256: the entry, its experiment, and the program (that of its file)."""
        text = Path(self.experiment).read_bytes()
        entry = json.dumps([self.command, self.experiment, self.set, self.arguments, program])
        return hashlib.sha256(entry.encode() + text).hexdigest()


@dataclass(frozen=True)
class GalleryFigure:
    """A figure of the gallery: what is drawn (``kind``) of a run (``of``) or of another folder (``path``)."""

    name: str
    kind: str
    caption: str
    of: str = ""
    path: str = ""

    def source(self, runs: Path) -> Path:
        """The folder it is drawn of."""
        return Path(self.path) if self.path else runs / self.of


def read_gallery(path: Path) -> tuple[list[GalleryRun], list[GalleryFigure]]:
    """Read the list of runs and figures; raise ``RunError`` where it does not fit together."""
    try:
        table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        runs = [GalleryRun(**entry) for entry in table.get("run", [])]
        figures = [GalleryFigure(**entry) for entry in table.get("figure", [])]
    except (OSError, TypeError, ValueError) as error:
        raise RunError(f"{path}: cannot be read: {error}.") from error
    names = {run.name for run in runs}
    for figure in figures:
        if figure.kind not in FIGURES:
            raise RunError(f"{path}: {figure.name} is of the kind {figure.kind}; there are {', '.join(FIGURES)}.")
        if not figure.path and figure.of.split("/")[0] not in names:
            raise RunError(f"{path}: {figure.name} is drawn of {figure.of}, which is no run of the list.")
    return runs, figures


#: How gradflow is called: its arguments and the file for what it prints; gives the exit code.
Call = Callable[[list[str], Path], int]


def run_flows(runs: list[GalleryRun], program: str, folder: Path, call: Call) -> None:
    """Run what does not stand yet; a stamp beside each folder says what it was made of, and whether it is whole.

    Whoever else runs flows into the folder waits until this is done.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"gallery: waits for another process that runs flows into {folder}", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        _run_all(runs, program, folder, call)


def _run_all(runs: list[GalleryRun], program: str, folder: Path, call: Call) -> None:
    made_by = _sha256(program)
    for run in runs:
        place, stamp = folder / run.name, folder / f"{run.name}.stamp"
        begun, whole = (f"{word} {run.stamp(made_by)}\n" for word in ("begun", "whole"))
        state = stamp.read_text(encoding="utf-8") if stamp.is_file() else ""
        if state == whole and place.is_dir():
            continue
        can_go_on = state == begun and run.command in ("run", "sweep")
        for attempt in ([True, False] if can_go_on else [False]):
            if not attempt:
                shutil.rmtree(place, ignore_errors=True)
                place.with_name(f"{run.name}.log").unlink(missing_ok=True)
            stamp.write_text(begun, encoding="utf-8")
            code = _run(run, program, place, call)
            # 2 is a refusal: a checkpoint of another program, say. Then it is run anew.
            if code == 0 or not attempt or code != 2:
                break
        if code != 0:
            log = place.with_name(f"{place.name}.log")
            raise RunError(f"{place}: gradflow ended with exit code {code}; {log} says why.")
        stamp.write_text(whole, encoding="utf-8")


def _sha256(program: str) -> str:
    """The SHA-256 of the program's file, which is looked for as a shell does."""
    file = shutil.which(program)
    if file is None:
        raise RunError(f"{program}: there is no such program; make build makes it.")
    with Path(file).open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def call(command: list[str], log: Path) -> int:
    """Call a program, with what it prints added to ``log``; give its exit code."""
    with log.open("ab") as file:
        return subprocess.run(command, check=False, stdout=file, stderr=subprocess.STDOUT).returncode


def _run(run: GalleryRun, program: str, place: Path, call: Call) -> int:
    if run.command == "information":
        place.mkdir(parents=True, exist_ok=True)
    for arguments in run.commands(place):
        print(f"gallery: gradflow {' '.join(arguments)}", flush=True)
        code = call([program, *arguments], place.with_name(f"{place.name}.log"))
        # A claim that is rejected is for `make verify` to say; the flow stands and is drawn.
        if code not in (0, 3):
            return code
    return 0


def draw_figures(figures: list[GalleryFigure], runs: Path, out: Path) -> list[Path]:
    """Draw all figures as PNG and SVG, several at a time; give the files in the order of the list."""
    jobs = [(figure, figure.source(runs), out) for figure in figures]
    workers = min(os.cpu_count() or 1, len(jobs))
    if workers < 2:
        return [file for job in jobs for file in _draw(job)]
    # Not forked: the libraries below have threads.
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        return [file for files in pool.map(_draw, jobs) for file in files]


def _draw(job: tuple[GalleryFigure, Path, Path]) -> list[Path]:
    figure, source, out = job
    drawn = FIGURES[figure.kind].draw(load(source))
    files = [save_figure(drawn, out / f"{figure.name}.{kind}", resolution=RESOLUTION) for kind in ("png", "svg")]
    print(files[0], flush=True)
    return files


def page(runs: list[GalleryRun], figures: list[GalleryFigure], program: str) -> str:
    """The page of the gallery, in Markdown: each figure, its caption, and what makes it."""
    by_name = {run.name: run for run in runs}
    lines = [
        "# Gallery",
        "",
        "Every figure is drawn from a run directory alone. `make figures` runs the flows that are missing, into",
        "`runs/gallery`, and draws this page anew; the list is `plots/gallery.toml`. The same runs give the same bytes.",
        "Vector graphics (`.svg`) stand beside the images after `make figures`.",
        "",
        "    PYTHONPATH=plots .venv/bin/python -m gradflow_plots RUN --list    # which figures there are of a run",
        "    PYTHONPATH=plots .venv/bin/python -m gradflow_plots RUN --only rates --out rates.pdf",
        "",
    ]
    for figure in figures:
        lines += [f"## {figure.name}", "", f"![{figure.caption}]({figure.name}.png)", "", figure.caption, ""]
        place = figure.path
        if not place:
            run = by_name[figure.of.split("/")[0]]
            top = Path("runs") / run.name
            lines += [f"    {shell([program, *arguments])}" for arguments in run.commands(top)]
            place = f"runs/{figure.of}"
        lines += [f"    PYTHONPATH=plots .venv/bin/python -m gradflow_plots {place} --only {figure.kind}", ""]
    return "\n".join(lines)


def shell(arguments: list[str]) -> str:
    """A command as it is typed, with quotes where a shell wants them."""
    return " ".join(f"'{part}'" if any(letter in part for letter in " []{}") else part for part in arguments)


def add_sources(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is run, by what, and where it stands."""
    parser.add_argument("--list", type=Path, default=Path("plots/gallery.toml"), help="the runs, figures and notebooks")
    parser.add_argument("--program", default=".build/release/gradflow", help="the program gradflow")
    parser.add_argument("--runs", type=Path, default=Path("runs/gallery"), help="where the runs are")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; give its exit code: 0 done, 2 a flow or a figure that cannot be made."""
    parser = argparse.ArgumentParser(prog="python -m gradflow_plots.gallery", description="Make the gallery.")
    add_sources(parser)
    parser.add_argument("--out", type=Path, default=Path("plots/gallery"), help="where the figures go")
    options = parser.parse_args(arguments)
    try:
        runs, figures = read_gallery(options.list)
        drawn = {figure.of.split("/")[0] for figure in figures}
        run_flows([run for run in runs if run.name in drawn], options.program, options.runs, call)
        draw_figures(figures, options.runs, options.out)
        (options.out / "README.md").write_text(page(runs, figures, ".build/release/gradflow"), encoding="utf-8")
    except (RunError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

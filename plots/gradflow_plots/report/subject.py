"""What a page is about: a folder with its tables, its manifest and its experiment, and what is wrong with them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from ..benchmarks import is_benchmarks
from ..generalisation import is_evaluation
from ..information import is_information
from ..plane import is_plane
from ..registry import Source, load
from ..run import Run, check_stages, inner_runs, read_claims, read_manifest
from ..sweep import Sweep, is_sweep
from ..tables import RunError, read_settings

#: Runs inside a folder of so many at most are shown with their own figures.
MOST_INNER = 4
#: The first lines that a resolved experiment has of its own, without a question.
_NO_QUESTION = "Every default is written out"


@dataclass(frozen=True)
class Subject:
    """A folder that is reported: ``source`` is what ``load`` makes of it, None where its tables cannot be read."""

    path: Path
    kind: str
    source: Source | None
    #: Empty where no manifest stands beside the tables.
    manifest: dict[str, Any]
    #: The text of ``experiment.yaml``; empty where there is none.
    experiment: str
    settings: dict[str, str]
    claims: pd.DataFrame
    #: Why the tables could not be read, or what they lack.
    fault: str = ""
    inner: list[Subject] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The folder's name."""
        name = self.path.name if self.path.name not in ("", "..") else self.path.resolve().name
        return name or "run"

    @property
    def question(self) -> str:
        """The first line of the experiment, if that is a comment, or its key ``question``."""
        first = self.experiment.partition("\n")[0].strip()
        asked = first.lstrip("#").strip() if first.startswith("#") else self.settings.get("question", "")
        return "" if asked.startswith(_NO_QUESTION) else asked

    @property
    def state(self) -> str:
        """The state that the manifest names; nothing without a manifest."""
        return str(self.manifest.get("status", {}).get("state", ""))

    @property
    def message(self) -> str:
        """Why it failed or was stopped, as the manifest says."""
        return str(self.manifest.get("status", {}).get("message") or "")

    @property
    def is_whole(self) -> bool:
        """Whether it came to its end and all its tables could be read."""
        counts = self.manifest.get("flows") or {}
        missing = counts.get("total", 0) != counts.get("finished", counts.get("total", 0))
        return self.state in ("finished", "") and not self.fault and not missing

    @property
    def seconds(self) -> float:
        """Seconds from the start to the end; not a number while it runs, where it was resumed or the clock set back."""
        if self.manifest.get("resumptions"):
            return math.nan
        try:
            start, end = (datetime.fromisoformat(str(self.manifest[key])) for key in ("start", "end"))
        except (KeyError, ValueError):
            return math.nan
        seconds = (end - start).total_seconds()
        return seconds if seconds >= 0 else math.nan

    @property
    def quantities(self) -> dict[str, Any]:
        """The most telling quantities at the end, by their names."""
        return {
            str(entry["name"]): entry.get("text", entry.get("number")) for entry in self.manifest.get("quantities") or []
        }


def read_subject(path: Path, *, is_partial: bool = False, is_inner: bool = False) -> Subject:
    """Read a folder, or the CSV of ``gradflow information``.

    Raise ``RunError`` where it is nothing that can be reported, and where it did not finish unless ``is_partial``:
    then whatever can be read is returned. Flows that failed among many are no reason to refuse the others.
    """
    if is_information(path) or is_benchmarks(path):
        source = load(path)
        nothing = pd.DataFrame(columns=["claim", "verdict"])
        return Subject(path, _kind(path, {}), source, {}, "", {}, nothing)
    manifest = read_manifest(path)
    kind = _kind(path, manifest)
    experiment = _text(path / "experiment.yaml")
    state, message = manifest["status"]["state"], manifest["status"].get("message")
    if not is_partial and state != "finished" and kind not in ("runs", "sweep"):
        raise RunError(
            f"{path}: the run is {state}{f' ({message})' if message else ''}, so its files are not complete. What to do: "
            "go on with gradflow run … --resume, or report what there is with --partial."
        )
    source, fault = None, ""
    if kind != "tables":
        try:
            source = load(path, allow_incomplete=is_partial)
        except RunError as error:
            if not is_partial:
                raise
            fault = _without_advice(error)
        if is_partial and isinstance(source, Run):
            try:
                check_stages(path, source.trajectory, manifest)
            except RunError as error:
                fault = _without_advice(error)
    settings = read_settings(path / "experiment.yaml") if experiment else {}
    inner: list[Subject] = []
    if not is_inner and isinstance(source, Sweep):
        total = max(len(source.runs), int((manifest.get("flows") or {}).get("total", 0)))
        if total <= MOST_INNER:
            inner = [read_subject(run, is_partial=True, is_inner=True) for run in inner_runs(path)]
    try:
        claims = source.claims if isinstance(source, Run | Sweep) else read_claims(path)
    except RunError as error:
        if not is_partial:
            raise
        claims, fault = pd.DataFrame(columns=["claim", "verdict"]), fault or str(error)
    return Subject(path, kind, source, manifest, experiment, settings, claims, fault, inner)


def _without_advice(error: RunError) -> str:
    """What is wrong, without what to do: that was done."""
    text = re.sub(r"(, or r|R)ead what there is with --partial \(allow_incomplete=True\)\.", "", str(error)).strip()
    return text if text.endswith(".") else text + "."


def _kind(path: Path, manifest: dict[str, Any]) -> str:
    if is_plane(path):
        return "phase plane"
    if is_benchmarks(path):
        return "benchmarks"
    if is_information(path):
        return "information"
    if is_evaluation(path):
        return "evaluation"
    if (path / "ledger.jsonl").is_file():
        return "sweep"
    if is_sweep(path) or manifest.get("flows"):
        return "runs"
    return "tables" if manifest.get("tables") is not None else "run"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    except OSError:
        return ""


def verdict_counts(claims: pd.DataFrame) -> dict[str, int]:
    """How many statements hold, are rejected, and say nothing here; those without a verdict are left out."""
    words = [str(word) for word in claims.get("verdict", []) if isinstance(word, str) and word]
    counts = {word: words.count(word) for word in ("holds", "rejected")}
    return counts | {"not applicable": len(words) - sum(counts.values())}

"""Many flows of one experiment, read into tables with one row per run, event or law."""

from __future__ import annotations

import json
import math
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .run import read_claims, read_manifest
from .tables import RunError, read_settings, read_table

_EVENTS = ["flow", "replicate", "stage", "name", "t", "t_error", "status"]
#: What ``phase-diagram.csv`` has of every statement of a claim.
_CLAIM = ["statement", "derived", "model_error", "measured", "lower", "upper", "verdict", "relation"]
_FACTS = {
    "phase-diagram.csv": ["number", "flow", "replicate", "status"],
    "flows.csv": ["flow", "replicate", "status"],
}


@dataclass(frozen=True)
class Axis:
    """A swept key: its values in order, and whether they are evenly spaced in the logarithm."""

    key: str
    values: list[Any]
    scale: str  # "log", "linear" or "category"


@dataclass(frozen=True)
class Sweep:
    """What the folder of many flows holds.

    ``runs`` has one row per run, with its swept values and ``status``; ``events`` one per run and event, with the
    swept values, and ``censored``: the event was not reached, and the time is a lower bound. Its ``clock`` starts with
    the stage that watches for it, the first one where several do; it is not a number where the run's manifest is
    missing. ``claims`` has one row per run and law, with the swept values.
    """

    path: Path
    manifest: dict[str, Any]
    axes: list[Axis]
    runs: pd.DataFrame
    events: pd.DataFrame
    claims: pd.DataFrame
    #: The keys that all runs have in common, with their values as texts.
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def keys(self) -> list[str]:
        """The swept keys."""
        return [axis.key for axis in self.axes]

    def event(self, name: str) -> pd.DataFrame:
        """The rows of one event; an event that no run located is an error that names those there are."""
        rows = self.events[self.events["name"] == name]
        if rows.empty:
            known = ", ".join(dict.fromkeys(self.events["name"]))
            raise RunError(f"{self.path}: no run has an event {name}; there are {known or 'none'}.")
        return rows


def is_sweep(path: str | Path) -> bool:
    """Whether a folder holds many flows with a table of them, or a ledger."""
    return any((Path(path) / name).is_file() for name in (*_FACTS, "ledger.jsonl"))


def load_sweep(path: str | Path) -> Sweep:
    """Read the folder of ``gradflow sweep`` (after ``collect``) or of ``gradflow run`` with a sweep.

    Raise ``RunError`` if it is missing, damaged, or not collected.
    """
    folder = Path(path)
    manifest = read_manifest(folder)
    name = next((name for name in _FACTS if (folder / name).is_file()), None)
    if name is None:
        if (folder / "ledger.jsonl").is_file():
            raise RunError(f"{folder}: the sweep has no phase-diagram.csv; gradflow sweep collect {folder} writes it.")
        raise RunError(f"{folder}: no sweep, it has neither phase-diagram.csv nor flows.csv; give load_run a run.")
    keys = _swept_keys(folder / "experiment.yaml")
    runs = read_table(folder / name, [*_FACTS[name], *keys], either=keys)
    return Sweep(
        path=folder,
        manifest=manifest,
        axes=[_axis(key, runs[key]) for key in keys],
        runs=runs,
        events=_events(folder, runs, keys),
        claims=_wide_claims(folder, runs, keys) if name == "phase-diagram.csv" else _long_claims(folder, runs, keys),
        settings=read_settings(folder / "experiment.yaml"),
    )


def _swept_keys(path: Path) -> list[str]:
    """The keys of the section ``sweep`` of an experiment, in order."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror}.") from error
    section = re.search(r"^sweep:(.*(?:\n(?: .*|-.*|#.*)?)*)", text, re.MULTILINE)
    return re.findall(r"\bkey: *[\"']?([^\s\"',}]+)", section[1]) if section else []


def _axis(key: str, column: pd.Series) -> Axis:
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return Axis(key, list(dict.fromkeys(column)), "category")
    values = np.unique(column.dropna())
    is_log = False
    if len(values) > 2 and values[0] > 0:
        ratios, gaps = np.diff(np.log(values)), np.diff(values)
        is_log = bool(ratios.std() / ratios.mean() < gaps.std() / gaps.mean())
    elif len(values) == 2 and values[0] > 0:
        is_log = bool(values[1] / values[0] >= 5)
    return Axis(key, [value.item() for value in values], "log" if is_log else "linear")


def _stage_starts(folder: Path, flow: int, replicate: int) -> dict[str, float]:
    """Where the stages of one run start, as its manifest says; nothing where that is missing or damaged."""
    inner = f"replicates/{replicate:03}"
    for place in (f"flows/{flow:06}/{inner}", f"flows/{flow:06}", inner):
        try:
            stages = json.loads((folder / place / "manifest.json").read_text(encoding="utf-8"))["stages"]
            starts = [stages[0].get("t_start", 0), *(stage["t_end"] for stage in stages[:-1])]
            return {stage["name"]: float(start) for stage, start in zip(stages, starts, strict=True)}
        except (OSError, ValueError, KeyError, IndexError, TypeError):
            continue
    return {}


def one_per_event(events: pd.DataFrame, run: list[str] | None = None) -> pd.DataFrame:
    """Return one row per event (and run, by its columns), however many stages watched for it.

    That is the row of the first stage that reached it, else the last one, as in ``phase-diagram.csv``.
    """
    keys = [*(run or []), "name"]
    is_open = events["status"] != "reached"
    kept = pd.concat([events[~is_open].drop_duplicates(keys), events[is_open].drop_duplicates(keys, keep="last")])
    return events.loc[kept.drop_duplicates(keys).index.sort_values()]


def _events(folder: Path, runs: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    if not (folder / "events.csv").is_file():
        raise RunError(f"{folder}: incomplete, it has no events.csv.")
    events = read_table(folder / "events.csv", _EVENTS)
    run = ["flow", "replicate"]
    first = events.groupby([*run, "name"])["stage"].transform("first")
    starts = {at: _stage_starts(folder, *at) for at in dict.fromkeys(zip(events["flow"], events["replicate"], strict=True))}
    began = [
        starts[flow, replicate].get(stage, math.nan)
        for flow, replicate, stage in zip(events["flow"], events["replicate"], first, strict=True)
    ]
    events = events.assign(clock=events["t"] - np.array(began, dtype=float), censored=events["status"] != "reached")
    events = one_per_event(events, run)
    return events.merge(runs[[*run, *keys]], on=run, how="left", validate="m:1")


def _wide_claims(folder: Path, runs: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """One row per law from columns such as ``G2.1.derived``."""
    names = dict.fromkeys(name.removesuffix(".derived") for name in runs.columns if name.endswith(".derived"))
    frames = []
    for name in names:
        columns = {f"{name}.{part}": part for part in _CLAIM}
        for column in columns:
            if column not in runs.columns:
                file = folder / "phase-diagram.csv"
                raise RunError(f"{file}: no column {column}, an older gradflow wrote it. What to do: gradflow sweep collect "
                               f"{shlex.quote(str(folder))}, and where that does not help run it again.")  # fmt: skip
        frame = runs[["flow", "replicate", *keys, *columns]].rename(columns=columns)
        frame = frame[frame["verdict"] != ""]  # those that have this statement
        frames.append(frame.assign(claim=name.partition(".")[0]))
    if not frames:
        return pd.DataFrame(columns=["claim", *_CLAIM, "flow", "replicate", *keys])
    return pd.concat(frames, ignore_index=True)


def _long_claims(folder: Path, runs: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """The laws of single flows with their swept values; those across flows have none."""
    claims = read_claims(folder)
    names = claims["flow"].astype("str")
    columns: dict[str, list[Any]] = {key: [] for key in ("flow", "replicate", *keys)}
    runs_by_setting = {_setting(row, keys): row for _, row in runs.iterrows()}
    for name in names:
        found = dict(re.findall(r"([\w.]+)=(\[[^\]]*\]|[^,]+)", name))
        replicate = re.search(r"replicate[ =](\d+)", name)
        found["replicate"] = replicate[1] if replicate else "1"
        row = runs_by_setting.get(_setting(found, keys)) if set(keys) <= set(found) else None
        for key, values in columns.items():
            values.append(math.nan if row is None else row[key])
    return claims.drop(columns="flow").assign(where=names, **columns)


def _setting(values: Any, keys: list[str]) -> tuple[Any, ...]:
    """Swept values and the replicate, as something that compares however numbers are written."""
    return (int(values["replicate"]), *(_comparable(values[key]) for key in keys))


def _comparable(value: Any) -> Any:
    try:
        return float(f"{float(value):.12g}")
    except ValueError:
        return str(value)

"""Run directories, read into data frames."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

#: The newest layout of ``manifest.json`` that is understood here.
SCHEMA_VERSION = 1

_COLUMNS = {
    "trajectory.csv": ["stage", "t", "loss", "gradient_norm"],
    "events.csv": ["stage", "name", "t", "t_error", "status"],
    "steps.csv": [
        "stage",
        "t",
        "step",
        "order",
        "error_estimate",
        "evaluations",
        "linear_failures",
    ],
}


#: The discrete optimisers whose files may stand beside the flow's, without ``.csv``.
OPTIMIZERS = ("gd", "momentum", "sgd", "adam")


class RunError(Exception):
    """A run directory that cannot be read or drawn; the text names the file and the reason."""


@dataclass(frozen=True)
class Stage:
    """One stage of a run, in the order of the run.

    ``start`` and ``end`` are times of the run; ``trained`` is empty where the manifest does not
    say what was trained.
    """

    name: str
    start: float
    end: float
    trained: tuple[str, ...] = ()


@dataclass(frozen=True)
class Run:
    """What a run directory holds."""

    path: Path
    trajectory: pd.DataFrame
    events: pd.DataFrame
    steps: pd.DataFrame
    manifest: dict[str, Any]
    experiment: str
    #: Discrete training beside the flow: optimiser → its recorded steps.
    training: dict[str, pd.DataFrame] = field(default_factory=dict)
    #: How far every recorded step is from the flow; None without training.
    distances: pd.DataFrame | None = None

    @property
    def stages(self) -> list[Stage]:
        """The stages in order, their bounds taken from the trajectory."""
        records = self.manifest.get("stages", [])
        trained = {record["name"]: tuple(record.get("trained_groups", ())) for record in records}
        times = self.trajectory.groupby("stage", sort=False)["t"]
        return [
            Stage(str(name), float(t.iloc[0]), float(t.iloc[-1]), trained.get(str(name), ()))
            for name, t in times
        ]

    def samples(self, stage: Stage) -> pd.DataFrame:
        """The samples of one stage, with its own clock in the column ``clock``."""
        rows = self.trajectory[self.trajectory["stage"] == stage.name]
        return rows.copy().assign(clock=rows["t"] - stage.start)

    def reached(self, stage: Stage) -> pd.DataFrame:
        """The events reached in one stage by time, with its own clock in ``clock``."""
        events = self.events
        rows = events[(events["stage"] == stage.name) & (events["status"] == "reached")]
        return rows.assign(clock=rows["t"] - stage.start).sort_values("t", kind="stable")

    def names(self, prefix: str) -> list[str]:
        """The last parts of all trajectory columns ``prefix.…``, in the file's order."""
        return [
            name.removeprefix(prefix + ".")
            for name in self.trajectory.columns
            if name.startswith(prefix + ".")
        ]


def load_run(path: str | Path, *, allow_incomplete: bool = False) -> Run:
    """Read a run directory.

    Raise ``RunError`` if it is missing or damaged, and if the run did not finish unless
    ``allow_incomplete`` is set: then whatever was recorded is returned.
    """
    folder = Path(path)
    manifest = read_manifest(folder)
    if manifest.get("flows"):
        runs = inner_runs(folder)
        example = f", such as {runs[0]}" if runs else ""
        raise RunError(f"{folder}: this holds several runs; give one of those inside{example}.")
    if manifest.get("tables") is not None:
        raise RunError(f"{folder}: this holds tables and no flow, so there are no stages to draw.")
    status = manifest["status"]
    if status["state"] != "finished" and not allow_incomplete:
        message = f" ({status['message']})" if status.get("message") else ""
        raise RunError(
            f"{folder}: the run is {status['state']}{message}, so its files are not complete. "
            "Read what there is with --partial (allow_incomplete=True)."
        )
    wanted = ["experiment.yaml", *_COLUMNS]
    missing = [name for name in wanted if not (folder / name).is_file()]
    if missing:
        raise RunError(f"{folder}: incomplete, it has no {', '.join(missing)}.")
    return Run(
        path=folder,
        trajectory=_table(folder / "trajectory.csv"),
        events=_table(folder / "events.csv"),
        steps=_table(folder / "steps.csv"),
        manifest=manifest,
        experiment=(folder / "experiment.yaml").read_text(encoding="utf-8"),
        training={
            name: _table(folder / f"{name}.csv")
            for name in OPTIMIZERS
            if (folder / f"{name}.csv").is_file()
        },
        distances=_table(folder / "distance.csv") if (folder / "distance.csv").is_file() else None,
    )


def inner_runs(path: str | Path) -> list[Path]:
    """Return the runs inside the folder of an experiment with several, in order."""
    folder = Path(path)
    return sorted(
        manifest.parent
        for pattern in ("flows/*", "flows/*/replicates/*", "replicates/*")
        for manifest in folder.glob(f"{pattern}/manifest.json")
    )


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of a run directory; raise ``RunError`` if there is none."""
    if not folder.exists():
        raise RunError(f"{folder}: there is no such folder.")
    if not folder.is_dir():
        raise RunError(f"{folder}: this is a file; give the folder of a run.")
    if not (folder / "manifest.json").is_file():
        raise RunError(f"{folder}: not a run directory, it has no manifest.json.")
    return _manifest(folder / "manifest.json")


def _manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise RunError(f"{path}: cannot be read: {error}.") from error
    if not isinstance(manifest, dict) or "schema_version" not in manifest:
        raise RunError(f"{path}: no manifest of a run, it has no schema_version.")
    version = manifest["schema_version"]
    if version > SCHEMA_VERSION:
        raise RunError(
            f"{path}: schema version {version} is newer than {SCHEMA_VERSION}; "
            "use the plots of the gradflow that made the run."
        )
    if "state" not in manifest.get("status", {}):
        raise RunError(f"{path}: the manifest has no status.")
    return manifest


def _table(path: Path) -> pd.DataFrame:
    texts = ("stage", "name", "status", "optimizer")
    try:
        names = pd.read_csv(path, nrows=0).columns
        # From version 3.1 on pandas reads numbers to the last bit; a test holds it to that.
        table = pd.read_csv(
            path,
            keep_default_na=False,
            na_values={name: ["", "nan"] for name in names if name not in texts},
            dtype={name: "str" for name in names if name in texts},
        )
    except (ValueError, OSError) as error:
        raise RunError(f"{path}: cannot be read: {error}.") from error
    missing = [name for name in _COLUMNS.get(path.name, ["stage", "step", "t"]) if name not in table.columns]
    if missing:
        raise RunError(f"{path}: no column {', '.join(missing)}.")
    for name in table.columns:
        if name not in texts and not pd.api.types.is_numeric_dtype(table[name]):
            if len(table):
                raise RunError(f"{path}: the column {name} holds something that is no number.")
            table[name] = table[name].astype("float64")
    return table

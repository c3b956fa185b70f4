"""Run directories, read into data frames."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from .tables import RunError, read_settings, read_table

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

_CLAIMS = "claim statement derived measured lower upper verdict reference model_error note flow relation".split()
_EVALUATION = "concentration length predictor loss loss_se excess excess_se".split()
_CONVERGENCE = "factor steps status distance distance_over_path order sharpness_share".split()

#: The discrete optimisers whose files may stand beside the flow's, without ``.csv``.
OPTIMIZERS = ("gd", "momentum", "sgd", "adam")


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
    #: What laws derive and the flow shows; empty where the experiment claims nothing.
    claims: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=_CLAIMS))
    #: Losses on fresh data by length, prior and predictor; None where none were drawn.
    evaluation: pd.DataFrame | None = None
    #: Gradient descent at several learning rates; None without.
    convergence: pd.DataFrame | None = None
    #: The keys of the resolved experiment, as ``events.complete_share``, with their values as texts.
    settings: dict[str, str] = field(default_factory=dict)

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
    trajectory = _table(folder, "trajectory.csv")
    if not allow_incomplete:
        check_stages(folder, trajectory, manifest)
    return Run(
        path=folder,
        trajectory=trajectory,
        events=_table(folder, "events.csv"),
        steps=_table(folder, "steps.csv"),
        manifest=manifest,
        experiment=(folder / "experiment.yaml").read_text(encoding="utf-8"),
        training={
            name: _table(folder, f"{name}.csv")
            for name in OPTIMIZERS
            if (folder / f"{name}.csv").is_file()
        },
        distances=_optional(folder / "distance.csv", ["stage", "step", "t"]),
        claims=read_claims(folder),
        evaluation=_optional(folder / "evaluation.csv", _EVALUATION),
        convergence=_optional(folder / "convergence.csv", _CONVERGENCE),
        settings=read_settings(folder / "experiment.yaml"),
    )


def check_stages(folder: Path, trajectory: pd.DataFrame, manifest: dict[str, Any]) -> None:
    """Raise ``RunError`` where the trajectory of a finished run does not reach the ends of its stages in the manifest."""
    if manifest["status"]["state"] != "finished":
        return
    ends = trajectory.groupby("stage", sort=False)["t"].last()
    for stage in manifest.get("stages") or []:
        name, end = stage.get("name"), stage.get("t_end")
        found = ends.get(name)
        if end is not None and (found is None or not math.isclose(found, end, rel_tol=1e-9)):
            told = "has no lines" if found is None else f"ends at t = {found}"
            raise RunError(
                f"{folder / 'trajectory.csv'}: stage {name} {told}, the manifest says {end}; lines are missing. "
                "What to do: run it again, or read what there is with --partial (allow_incomplete=True)."
            )


def read_claims(folder: Path) -> pd.DataFrame:
    """Read ``claims.csv``; an empty table where there is none. Raise ``RunError`` where an older gradflow wrote it."""
    if not (folder / "claims.csv").is_file():
        return pd.DataFrame(columns=_CLAIMS)
    claims = read_table(folder / "claims.csv", [name for name in _CLAIMS if name != "relation"], texts=["flow"])
    if "relation" not in claims.columns:
        raise RunError(f"{folder / 'claims.csv'}: no column relation, an older gradflow wrote it. What to do: run it again.")
    return claims


def _table(folder: Path, name: str) -> pd.DataFrame:
    return read_table(folder / name, _COLUMNS.get(name, ["stage", "step", "t"]))


def _optional(path: Path, required: list[str]) -> pd.DataFrame | None:
    return read_table(path, required) if path.is_file() else None


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

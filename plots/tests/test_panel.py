"""The figure of the stages."""

import json
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import pandas as pd
import pytest
from overlaps import complaints

from gradflow_plots import Run, RunError, load_run, phases_panel, save_figure, three_stage_panel
from gradflow_plots.__main__ import main


def test_every_quantity_has_its_line(run_folder: Path) -> None:
    figure = three_stage_panel(load_run(run_folder))
    counts: Counter[str] = Counter()
    marks: Counter[str] = Counter()
    for axes in figure.axes:
        lines = [line for line in axes.lines if line.get_label() != "_event"]
        counts[axes.get_label()] += len(lines)
        marks[axes.get_label()] += len(axes.lines) - len(lines)
    del counts["events"]
    # Three stages each: 6 subsets, 3 heads × 3 lags, one a, one loss, the norm and its 3 groups.
    assert counts == {"share": 18, "attention": 27, "a": 3, "loss": 3, "gradient": 12}
    assert all(marks[row] == 5 for row in counts), "5 events were reached"
    assert len(figure.axes) == 18


def test_every_axis_says_what_it_shows(run_folder: Path) -> None:
    figure = three_stage_panel(load_run(run_folder))
    first = [axes for axes in figure.axes if axes.get_subplotspec().is_first_col()]
    assert all(axes.get_ylabel() for axes in first if axes.get_label() != "events")
    labels = [axes.get_xlabel() for axes in figure.axes if axes.get_label() == "gradient"]
    assert labels == ["time $t$", "time $t - 10^{5}$", r"time $t - 2 \cdot 10^{5}$"]
    titles = [axes.get_title("left") for axes in figure.axes if axes.get_label() == "events"]
    assert titles == ["I  selection", "II  copying", "III  classification"]


@pytest.mark.parametrize("is_full", [False, True])
def test_nothing_lies_outside_or_overlaps(run_folder: Path, is_full: bool) -> None:
    run = load_run(run_folder)
    if is_full:
        run = with_many_sets(run)
    assert complaints(three_stage_panel(run)) == []


def with_many_sets(run: Run) -> Run:
    """Return what looks like a full transformer's run, with sets that never matter."""
    columns = {"unexplained": 0.4} | {f"share.{lag}+9": 0.01 for lag in range(1, 9)}
    return replace(run, trajectory=run.trajectory.assign(**columns))


def test_of_many_sets_those_that_matter_have_lines_of_their_own(run_folder: Path) -> None:
    run = with_many_sets(load_run(run_folder))
    figure = three_stage_panel(run)
    axes = next(axes for axes in figure.axes if axes.get_label() == "share")
    shown = [line for line in axes.lines if not line.get_label().startswith("_")]
    labels = [line.get_label() for line in shown]
    assert "others" in labels and "unexplained" in labels and len(labels) == 8
    styles = {(line.get_color(), str(line.get_linestyle())) for line in shown}
    assert len(styles) == len(shown)


@pytest.mark.parametrize("kind", ["png", "pdf"])
def test_same_run_same_bytes(run_folder: Path, tmp_path: Path, kind: str) -> None:
    first = save_figure(three_stage_panel(load_run(run_folder)), tmp_path / f"a.{kind}")
    with mpl.rc_context({"font.size": 20, "axes.facecolor": "red"}):  # a user's own settings
        second = save_figure(three_stage_panel(load_run(run_folder)), tmp_path / f"b.{kind}")
    assert first.read_bytes() == second.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"a.{kind}", f"b.{kind}"]


def test_other_models_are_refused(run_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(run_folder, tmp_path / "run"))
    (folder / "trajectory.csv").write_text("stage,t,loss,gradient_norm\ns,0,1,1\n")
    with pytest.raises(RunError, match="no column share"):
        three_stage_panel(load_run(folder, allow_incomplete=True))


def test_stage_that_has_only_begun(run_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(run_folder, tmp_path / "run"))
    lines = (folder / "trajectory.csv").read_text().splitlines(keepends=True)
    (folder / "trajectory.csv").write_text("".join(lines[: 1 + 241 + 1]))
    save_figure(three_stage_panel(load_run(folder, allow_incomplete=True)), tmp_path / "a.png")


def test_command_line(run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path(shutil.copytree(run_folder, tmp_path / "run"))
    assert main([str(folder)]) == 0
    drawn = ["three-stage", "rates", "attention", "solver"]
    assert capsys.readouterr().out.split() == [str(folder / "figures" / f"{name}.png") for name in drawn]
    assert all((folder / "figures" / f"{name}.png").stat().st_size > 10_000 for name in drawn)
    assert main([str(folder), "--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == drawn
    assert main([str(folder), "--only", "rates", "--out", str(tmp_path / "deep" / "x.svg")]) == 0
    assert main([str(folder), "--only", "training"]) == 2
    assert "nothing was trained" in capsys.readouterr().err
    assert main([]) == 2
    assert main([str(folder), "--out", str(tmp_path / "x.txt")]) == 2
    assert main([str(tmp_path)]) == 2
    assert "error: " in capsys.readouterr().err
    (tmp_path / "file").write_text("x")
    assert main([str(folder), "--out", str(tmp_path / "file" / "x.png")]) == 2


def test_a_run_of_the_mixed_target_has_its_own_figure(run_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    shutil.copytree(run_folder, folder)
    trajectory = pd.read_csv(folder / "trajectory.csv")[["stage", "t", "loss", "gradient_norm"]]
    for name in ("p", "v1", "v", "wk", "wq", "loss.g4", "loss.ih", "k"):
        trajectory[name] = trajectory["loss"]
    trajectory["p1"] = float("inf")
    for group in ("p1", "p", "v1", "v", "w"):
        trajectory[f"gradient_norm.{group}"] = trajectory["gradient_norm"]
    trajectory.to_csv(folder / "trajectory.csv", index=False)
    manifest = json.loads((folder / "manifest.json").read_text())
    for stage in manifest["stages"]:
        stage["trained_groups"] = ["p", "v1", "v", "w"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    figure = phases_panel(load_run(folder))
    counts = Counter(
        axes.get_label() for axes in figure.axes for line in axes.lines if line.get_label() != "_event"
    )
    del counts["events"]
    # Three stages each: two losses, v and v₁, k, p alone (p₁ is infinite), the norms of four groups.
    assert counts == {"losses": 6, "values": 6, "product": 3, "rates": 3, "gradient": 12}
    assert main([str(folder), "--only", "phases"]) == 0
    assert (folder / "figures" / "phases.png").is_file()
    with pytest.raises(RunError, match="loss.g4"):
        phases_panel(load_run(run_folder))

"""The phase portrait of a plane."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gradflow_plots import RunError, load_plane, load_run, phase_portrait
from gradflow_plots.__main__ import main
from gradflow_plots.plane import coordinate_text


@pytest.fixture
def plane_folder(tmp_path: Path) -> Path:
    """Return a plane that a test may damage."""
    return write_plane(tmp_path / "plane")


def write_plane(folder: Path) -> Path:
    """Write a plane of x′ = x(1 − x²), y′ = −y, whose corner has no flow."""
    folder.mkdir()
    x, y = np.meshgrid(np.linspace(-1.5, 1.5, 16), np.linspace(-1, 1, 9))
    x, y = x.ravel(), y.ravel()
    field = pd.DataFrame({"x": x, "y": y, "dx": x * (1 - x**2), "dy": -y})
    field = field.assign(loss=(x**2 - 1) ** 2 / 4 + y**2 / 2, gradient_norm=np.hypot(field["dx"], y))
    field.loc[field.index[-1], ["dx", "dy", "loss", "gradient_norm"]] = np.nan
    field.to_csv(folder / "field.csv", index=False)
    lines = [("dx", n + 1, at, y) for n, at in enumerate((-1, 0, 1)) for y in (-1, 1)]
    lines += [("dy", 4, at, 0) for at in (-1.5, 1.5)]
    pd.DataFrame(lines, columns=["of", "curve", "x", "y"]).to_csv(folder / "nullclines.csv", index=False)
    pd.DataFrame({"x": [-1, 0, 1], "y": 0, "kind": ["minimum", "saddle", "minimum"]}).to_csv(
        folder / "fixed_points.csv", index=False
    )
    t = np.linspace(0, 3, 20)
    start = 0.1
    exact = 1 / np.sqrt(1 + (1 / start**2 - 1) * np.exp(-2 * t))
    paths = pd.DataFrame({"path": 1, "t": t, "x": exact, "y": 0.5 * np.exp(-t)})
    paths.to_csv(folder / "paths.csv", index=False)
    (folder / "experiment.yaml").write_text(
        "# Why?\nstages:\n  - x: other\n# The plane\nplane:\n  # The first axis\n  x: share.1+2\n\n  y: 'gap.1'  # a gap\nsweep:\n  y: no\n"
    )
    manifest = {"schema_version": 1, "status": {"state": "finished"}, "tables": ["field.csv"]}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_everything_is_drawn(plane_folder: Path) -> None:
    plane = load_plane(plane_folder)
    assert plane.names == ("share.1+2", "gap.1")
    axes = phase_portrait(plane).axes[0]
    assert axes.get_xlim() == (-1.5, 1.5) and axes.get_ylim() == (-1, 1)
    markers = {str(line.get_label()): line for line in axes.lines if line.get_label() in ("minimum", "saddle")}
    assert list(markers["minimum"].get_xdata()) == [-1, 1]
    assert list(markers["saddle"].get_xdata()) == [0]
    # Four nullclines, a path with its start, two kinds of points.
    assert len(axes.lines) == 4 + 2 + 2
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend[-2:] == ["minimum", "saddle"]
    assert "share of" in axes.get_xlabel() and "head 1" in axes.get_ylabel()


def test_a_field_without_a_flow_is_refused(plane_folder: Path) -> None:
    field = pd.read_csv(plane_folder / "field.csv")
    field[["dx", "dy"]] = np.nan
    field.to_csv(plane_folder / "field.csv", index=False)
    with pytest.raises(RunError, match="no node has a flow"):
        phase_portrait(load_plane(plane_folder))


def test_the_command_draws_a_plane(plane_folder: Path) -> None:
    assert main([str(plane_folder)]) == 0
    assert (plane_folder / "figures" / "phase-portrait.png").stat().st_size > 10_000
    (plane_folder / "paths.csv").unlink()
    assert main([str(plane_folder)]) == 2


def test_a_plane_is_no_run(plane_folder: Path, run_folder: Path) -> None:
    with pytest.raises(RunError, match="no flow"):
        load_run(plane_folder)
    with pytest.raises(RunError, match=r"field\.csv"):
        load_plane(run_folder)


@pytest.mark.parametrize(
    ("name", "text"),
    [("k", "$k$"), ("wk", "$w_K$"), ("c.1+2", "$c_{1+2}$"), ("w.1.3", "$w_{1,3}$"), ("a", "$a$")],
)
def test_names_of_coordinates(name: str, text: str) -> None:
    assert coordinate_text(name) == text

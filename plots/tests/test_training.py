"""The figure of the optimisers beside the flow."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from gradflow_plots import RunError, load_run, training_panel
from gradflow_plots.__main__ import main
from gradflow_plots.run import OPTIMIZERS


@pytest.fixture
def trained(run_folder: Path, tmp_path: Path) -> Path:
    """Return a run whose optimisers all do what the flow does, Adam without a clock."""
    folder = Path(shutil.copytree(run_folder, tmp_path / "trained"))
    trajectory = pd.read_csv(folder / "trajectory.csv")
    step = trajectory.groupby("stage").cumcount()
    distances = []
    for name in OPTIMIZERS:
        table = trajectory.assign(step=step)
        if name == "adam":
            table["t"] = float("nan")
        table.to_csv(folder / f"{name}.csv", index=False)
        columns = table[["stage", "step", "t"]]
        away = 1e-3 * (1 + step)
        distances.append(
            columns.assign(
                optimizer=name,
                distance=away if name != "adam" else float("nan"),
                distance_to_path=away,
            )
        )
    pd.concat(distances).to_csv(folder / "distance.csv", index=False)
    return folder


def test_every_optimiser_has_its_line_in_every_panel(trained: Path) -> None:
    figure = training_panel(load_run(trained))
    rows = {axes.get_label() for axes in figure.axes} - {"events"}
    assert rows == {"share", "attention", "a", "loss", "distance"}
    for axes in figure.axes:
        labels = [line.get_label() for line in axes.lines]
        names = [label.split(" ")[0] for label in labels if not label.startswith("_")]
        if axes.get_label() == "events":
            continue
        expected = list(OPTIMIZERS) if axes.get_label() == "distance" else ["flow", *OPTIMIZERS]
        assert names == expected, axes.get_label()


def test_adam_goes_by_its_steps(trained: Path) -> None:
    figure = training_panel(load_run(trained))
    loss = next(axes for axes in figure.axes if axes.get_label() == "loss")
    adam = next(line for line in loss.lines if line.get_label() == "adam")
    assert adam.get_xdata()[-1] == pytest.approx(1e5)


def test_the_command_draws_both_figures(trained: Path) -> None:
    assert main([str(trained)]) == 0
    assert sorted(path.name for path in (trained / "figures").iterdir()) == [
        "three-stage.png",
        "training.png",
    ]


def test_a_run_without_training_says_so(run_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"no gd\.csv"):
        training_panel(load_run(run_folder))
    assert main([str(run_folder), "--training", "--out", str(tmp_path / "x.png")]) == 2

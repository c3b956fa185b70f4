"""The figure of the optimisers beside the flow."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from gradflow_plots import RunError, convergence, load_run, training_panel
from gradflow_plots.__main__ import main
from gradflow_plots.run import OPTIMIZERS


@pytest.fixture
def trained(run_folder: Path, tmp_path: Path) -> Path:
    """Return a run with training that a test may damage."""
    return write_training(run_folder, tmp_path / "trained")


def write_training(run: Path, folder: Path) -> Path:
    """Copy a run and add optimisers that all do what the flow does, Adam without a clock; exactly first order."""
    shutil.copytree(run, folder)
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
    factors = [64.0, 16.0, 4.0, 1.0]
    columns = {"factor": factors, "steps": 10, "status": "finished", "distance": [1e-2 * f for f in factors],
               "distance_over_path": [1e-3 * f for f in factors], "order": 1.0,
               "sharpness_share": [0.03 * f for f in factors]}  # fmt: skip
    pd.DataFrame(columns).to_csv(folder / "convergence.csv", index=False)
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
    adam = next(line for line in loss.lines if line.get_label() == "adam (by step)")
    assert adam.get_xdata()[-1] == pytest.approx(1e5)


def test_the_command_draws_both_figures(trained: Path) -> None:
    assert main([str(trained), "--only", "three-stage", "--only", "training"]) == 0
    assert sorted(path.name for path in (trained / "figures").iterdir()) == [
        "three-stage.png",
        "training.png",
    ]


def test_first_order_is_a_line_of_slope_one(trained: Path) -> None:
    with (trained / "experiment.yaml").open("a") as file:
        file.write("training:\n  learning_rate: 0.5\n")
    distance, sharpness = convergence(load_run(trained)).axes
    measured, derived = distance.lines
    assert list(measured.get_xdata()) == [1, 4, 16, 64] and sharpness.get_xlabel() == r"learning rate / $\eta$ (factor)"
    assert measured.get_ydata() == pytest.approx(derived.get_ydata())
    assert list(sharpness.lines[0].get_ydata()) == [0.03, 0.12, 0.48, 1.92]


def test_no_convergence_says_what_to_do(run_folder: Path) -> None:
    with pytest.raises(RunError, match=r"no convergence\.csv; set training\.factors"):
        convergence(load_run(run_folder))


def test_a_run_without_training_says_so(run_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"no gd\.csv"):
        training_panel(load_run(run_folder))
    assert main([str(run_folder), "--only", "training", "--out", str(tmp_path / "x.png")]) == 2


def test_a_head_from_ten_on_has_its_whole_index(trained: Path) -> None:
    for name in ("trajectory", *OPTIMIZERS):
        table = pd.read_csv(trained / f"{name}.csv")
        heads = {column: column.replace("attention.", "attention.1") for column in table if column.startswith("attention.")}
        table.rename(columns=heads).to_csv(trained / f"{name}.csv", index=False)
    label = next(axes.get_ylabel() for axes in training_panel(load_run(trained)).axes if axes.get_label() == "attention")
    assert label.startswith(r"$\sigma^{11}$ on lag")

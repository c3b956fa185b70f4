"""Reading run directories."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from gradflow_plots import RunError, load_run
from gradflow_plots.__main__ import main
from gradflow_plots.report import page, read_subject


@pytest.fixture
def copy(run_folder: Path, tmp_path: Path) -> Path:
    """Return a copy of the run that a test may damage."""
    return Path(shutil.copytree(run_folder, tmp_path / "run"))


def set_status(folder: Path, state: str, message: str) -> None:
    """Change how a run ended."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["status"] = {"state": state, "message": message}
    path.write_text(json.dumps(manifest))


def test_columns_are_parsed(run_folder: Path) -> None:
    run = load_run(run_folder)
    assert run.names("share") == ["1", "2", "3", "1+2", "1+3", "2+3"]
    assert len(run.names("attention")) == 9
    assert run.names("gradient_norm") == ["c", "w", "a"]
    assert [stage.name for stage in run.stages] == ["selection", "copying", "classification"]
    assert [stage.trained for stage in run.stages] == [("c",), ("w",), ("a",)]
    assert [(stage.start, stage.end) for stage in run.stages] == [
        (0, 1e5),
        (1e5, 2e5),
        (2e5, 3e5),
    ]
    samples = run.samples(run.stages[1])
    assert samples["clock"].iloc[0] == 0
    assert samples["clock"].iloc[-1] == 1e5
    assert list(run.reached(run.stages[1])["name"]) == ["copying-complete.2", "copying-complete.1"]
    assert run.steps["order"].dtype == np.int64
    assert run.experiment.startswith("# A synthetic run")


def test_a_page_says_which_lines_are_missing(copy: Path) -> None:
    lines = (copy / "trajectory.csv").read_text().splitlines(keepends=True)
    (copy / "trajectory.csv").write_text("".join(lines[: len(lines) // 2]))
    with pytest.raises(RunError, match=r"lines are missing\. What to do: "):
        read_subject(copy)
    words = page([read_subject(copy, is_partial=True)], room=0)
    assert "Not whole." in words and "lines are missing." in words and "allow_incomplete" not in words


def test_numbers_keep_every_bit(copy: Path) -> None:
    values = [0.1 + 0.2, 5e-324, 1.7976931348623157e308, -0.0, 2.2250738585072011e-308, 1e-05]
    bits = np.random.default_rng(7).integers(0, 2**64, 20_000, dtype=np.uint64)
    random = bits.view(np.float64)
    values += random[np.isfinite(random)].tolist()
    lines = [f"s,{index},{value!r},nan" for index, value in enumerate(values)]
    lines.append("nan,9,inf,")
    (copy / "trajectory.csv").write_text("stage,t,loss,gradient_norm\n" + "\n".join(lines) + "\n")
    trajectory = load_run(copy, allow_incomplete=True).trajectory
    expected = np.array([*values, np.inf])
    assert trajectory["loss"].to_numpy().tobytes() == expected.tobytes()
    assert trajectory["gradient_norm"].isna().all()
    assert trajectory["stage"].iloc[-1] == "nan"


def test_empty_tables_are_read(copy: Path) -> None:
    (copy / "events.csv").write_text("stage,name,t,t_error,status\n")
    run = load_run(copy)
    assert len(run.reached(run.stages[0])) == 0


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="there is no such folder"):
        load_run(tmp_path / "none")


def test_file_and_other_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(RunError, match="this is a file"):
        load_run(tmp_path / "file")
    with pytest.raises(RunError, match=r"not a run directory, it has no manifest\.json"):
        load_run(tmp_path)


@pytest.mark.parametrize("name", ["trajectory.csv", "events.csv", "steps.csv", "experiment.yaml"])
def test_missing_file(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(RunError, match=f"incomplete, it has no {name}"):
        load_run(copy)


def test_unfinished_run(copy: Path) -> None:
    set_status(copy, "failed", "the step became too small")
    with pytest.raises(RunError, match=r"the run is failed \(the step became too small\)"):
        load_run(copy)
    assert len(load_run(copy, allow_incomplete=True).stages) == 3


@pytest.fixture
def several(run_folder: Path, tmp_path: Path) -> Path:
    """Return the folder of an experiment with two runs."""
    top = tmp_path / "top"
    for name in ["000001", "000002"]:
        shutil.copytree(run_folder, top / "flows" / name)
    manifest = json.loads((run_folder / "manifest.json").read_text())
    manifest["flows"] = {"total": 2, "finished": 2, "failed": 0, "stopped": 0}
    (top / "manifest.json").write_text(json.dumps(manifest))
    return top


def test_several_runs_are_no_single_one(several: Path) -> None:
    with pytest.raises(RunError, match=r"holds several runs; .* such as .*flows/000001"):
        load_run(several)


def test_each_of_several_runs_is_drawn(several: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(several), "--only", "rates"]) == 0
    folders = [several / "flows" / name for name in ["000001", "000002"]]
    figures = [folder / "figures/rates.png" for folder in folders]
    assert all(figure.is_file() for figure in figures)
    assert capsys.readouterr().out.split() == [str(figure) for figure in figures]
    (several / "flows/000001/trajectory.csv").unlink()
    assert main([str(several), "--only", "rates"]) == 2


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("manifest.json", "{", "cannot be read"),
        ("manifest.json", "[]", "no schema_version"),
        ("manifest.json", '{"schema_version": 99}', "newer than 1"),
        ("manifest.json", '{"schema_version": 1}', "no status"),
        ("trajectory.csv", "stage,t\n", "no column loss, gradient_norm"),
        ("trajectory.csv", "", "is empty"),
        ("trajectory.csv", "stage,t,loss,gradient_norm\ns,0,1,1", "cut short"),
        ("trajectory.csv", "stage,t,loss,gradient_norm\ns,0,1,1\n", "lines are missing"),
        ("trajectory.csv", "stage,t,loss,gradient_norm\ns,0,x,1\n", "loss holds something"),
    ],
)
def test_damaged_file(copy: Path, name: str, content: str, message: str) -> None:
    (copy / name).write_text(content)
    with pytest.raises(RunError, match=message) as caught:
        load_run(copy)
    assert name in str(caught.value)

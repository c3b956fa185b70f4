"""Sweeps and the other tables: what the loaders make of them, and the figures of them."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import synthetic_tables

from gradflow_plots import (
    FIGURES, RunError, emergence_scaling, generalisation, gradient_speed, information_chart, leader_diagram, load,
    load_benchmarks, load_evaluation, load_information, load_run, load_sweep, phase_diagram, solver_history,
    work_precision,
)  # fmt: skip
from gradflow_plots.diagram import _limits
from gradflow_plots.grid import edges
from gradflow_plots.report import read_subject
from gradflow_plots.report.tables import more_sections
from gradflow_plots.report.times import sweep_events_section
from gradflow_plots.sweep import Axis


@pytest.fixture
def copy(folders: dict[str, Path], tmp_path: Path) -> Path:
    """Return a sweep that a test may damage."""
    return Path(shutil.copytree(folders["sweep"], tmp_path / "sweep"))


def test_axes_and_events_of_a_sweep(folders: dict[str, Path]) -> None:
    sweep = load_sweep(folders["sweep"])
    assert [(axis.key, axis.scale, len(axis.values)) for axis in sweep.axes] == [
        ("data.concentration", "log", 6),
        ("initial.scale", "log", 6),
    ]
    copying = sweep.event("copying-complete.1")
    assert len(copying) == 36 and copying["clock"].max() == 1e5
    assert (copying["censored"] == (copying["clock"] == 1e5)).all() and 0 < copying["censored"].sum() < 36
    assert sweep.claims["derived"].tolist() == pytest.approx((1 / sweep.runs["initial.scale"]).tolist())
    with pytest.raises(RunError, match=r"no run has an event nothing; there are selection\.1\+2"):
        sweep.event("nothing")


def test_clocks_start_with_the_stages_of_each_run(copy: Path) -> None:
    folders = [copy / f"flows/{number:06}" for number in (1, 2, 3)]
    stages = [{"name": "selection", "t_start": 0, "t_end": 5e4}, {"name": "copying", "t_start": 5e4, "t_end": 2e5}]
    (folders[0] / "manifest.json").write_text(json.dumps(synthetic_tables.MANIFEST | {"stages": stages}))
    (folders[1] / "replicates/001").mkdir(parents=True)
    (folders[1] / "manifest.json").rename(folders[1] / "replicates/001/manifest.json")
    (folders[2] / "manifest.json").unlink()
    events = load_sweep(copy).event("copying-complete.1").set_index("flow")
    assert (events["t"] - events["clock"])[[1, 2, 4]].tolist() == [5e4, 1e5, 1e5]
    assert events["clock"].isna().tolist() == [flow == 3 for flow in events.index]


def test_an_event_that_two_stages_watch_counts_once(copy: Path) -> None:
    events = pd.read_csv(copy / "events.csv")
    again = events[events["name"] == "selection.1+2"].assign(stage="copying", t_error=None)
    again["t"] = np.where(again["flow"] == 2, 1.5e5, 2e5)
    again["status"] = np.where(again["flow"] == 2, "reached", "not reached")
    events.loc[events["flow"].isin([2, 3]) & (events["name"] == "selection.1+2"), ["t", "status"]] = [1e5, "not reached"]
    both = pd.concat([events, again]).sort_values(["flow", "stage"], ascending=[True, False])
    both.to_csv(copy / "events.csv", index=False)
    rows = load_sweep(copy).event("selection.1+2").set_index("flow")
    assert len(rows) == 36 and rows["censored"].sum() == 1
    assert rows.loc[[2, 3], "t"].tolist() == [1.5e5, 2e5] and rows.loc[[1, 2], "stage"].tolist() == ["selection", "copying"]
    assert (rows["clock"] == rows["t"]).all(), "the clock is that of the first stage that watches"
    never = events.assign(status="not reached", t_error=None)
    never.loc[never["name"] == "selection.1+2", "stage"] = np.where(np.arange(36) % 2, "selection", "copying")
    never.loc[1, "status"] = "reached"
    never.to_csv(copy / "events.csv", index=False)
    words = str(sweep_events_section(load_sweep(copy)))
    assert words.count("Reached by no run: selection.1+2.") == 1


def test_flows_of_one_experiment_are_a_sweep_too(folders: dict[str, Path]) -> None:
    sweep = load_sweep(folders["emergence"])
    assert [axis.scale for axis in sweep.axes] == ["log", "log", "log", "linear"]
    laws = sweep.claims[sweep.claims["statement"] == "T of emergence"]
    assert len(laws) == 36 and laws["flow"].notna().all()
    assert (laws["initial.sigma"] == sweep.runs["initial.sigma"].to_numpy()).all()
    across = sweep.claims[sweep.claims["statement"] != "T of emergence"]
    assert across["flow"].isna().all()


def test_a_sweep_that_is_not_collected_says_how(copy: Path) -> None:
    (copy / "phase-diagram.csv").unlink()
    with pytest.raises(RunError, match=r"gradflow sweep collect .*sweep writes it"):
        load_sweep(copy)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("events.csv", None, r"incomplete, it has no events\.csv"),
        ("experiment.yaml", None, r"experiment\.yaml: cannot be read"),
        ("experiment.yaml", "sweep:\n  - key: other\n", r"phase-diagram\.csv: no column other"),
        ("phase-diagram.csv", "number,flow\n1,1\n", r"phase-diagram\.csv: no column replicate, status"),
        ("manifest.json", None, r"not a run directory, it has no manifest\.json"),
    ],
)
def test_damaged_sweeps(copy: Path, name: str, content: str | None, message: str) -> None:
    (copy / name).unlink()
    if content is not None:
        (copy / name).write_text(content)
    with pytest.raises(RunError, match=message):
        load_sweep(copy)


def test_runs_are_no_sweeps_and_neither_are_other_folders(run_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no sweep"):
        load_sweep(run_folder)
    for loader, message in ((load_information, r"no information\.csv; gradflow information"),
                            (load_evaluation, "not a run directory"), (load_benchmarks, r"no peers\.csv; make bench"),
                            (load, "not a run directory")):  # fmt: skip
        with pytest.raises(RunError, match=message):
            loader(tmp_path)


def test_censored_cells_are_hatched(folders: dict[str, Path]) -> None:
    sweep = load_sweep(folders["sweep"])
    figure = phase_diagram(sweep)
    panels = {axes.get_label(): axes for axes in figure.axes}
    censored = sweep.event("copying-complete.1").query("censored")
    hatched = [one for one in panels["copying-complete.1"].collections if one.get_label() == "censored"]
    assert len(hatched) == 1 and hatched[0].get_hatch() == "/////"
    boxes = [path.get_extents() for path in hatched[0].get_paths()]
    assert len(boxes) == len(censored)
    for _, row in censored.iterrows():
        inside = [box.contains(row["data.concentration"], row["initial.scale"]) for box in boxes]
        assert sum(inside) == 1
    assert not [one for one in panels["selection.1+2"].collections if one.get_label() == "censored"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["not reached in the stage: a lower bound"]


def test_cells_have_the_times_of_the_table(folders: dict[str, Path]) -> None:
    sweep = load_sweep(folders["sweep"])
    axes = next(axes for axes in phase_diagram(sweep).axes if axes.get_label() == "selection.1+2")
    grid = np.asarray(axes.collections[0].get_array()).reshape(6, 6)
    expected = sweep.event("selection.1+2").pivot(index="initial.scale", columns="data.concentration", values="clock")
    assert grid == pytest.approx(expected.to_numpy())


def test_failed_runs_are_crossed(copy: Path) -> None:
    events = pd.read_csv(copy / "events.csv")
    events[events["flow"] != 1].to_csv(copy / "events.csv", index=False)
    figure = phase_diagram(load_sweep(copy))
    crossed = [one for axes in figure.axes for one in axes.collections if one.get_label() == "stands"]
    assert [len(one.get_paths()) for one in crossed] == [1, 1]
    assert "no time" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_what_happens_at_the_start_is_dotted_and_not_crossed(copy: Path) -> None:
    events = pd.read_csv(copy / "events.csv")
    events.loc[(events["flow"] == 1) & (events["name"] == "selection.1+2"), "t"] = 0
    events.to_csv(copy / "events.csv", index=False)
    figure = phase_diagram(load_sweep(copy))
    panel = next(axes for axes in figure.axes if axes.get_label() == "selection.1+2")
    marked = {one.get_label(): len(one.get_paths()) for one in panel.collections[1:]}
    assert marked == {"at_start": 1}
    colours = np.ma.asarray(panel.collections[0].get_array())
    assert colours.count() == 36 and colours.reshape(6, 6)[0, 0] == colours.min() == panel.collections[0].norm.vmin > 0
    assert "where the stage starts" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_edges_lie_between_values() -> None:
    assert edges(Axis("a", [1.0, 10.0, 100.0], "log")) == pytest.approx([10**-0.5, 10**0.5, 10**1.5, 10**2.5])
    assert list(edges(Axis("a", [2, 3, 4], "linear"))) == [1.5, 2.5, 3.5, 4.5]


def test_leaders_are_named_in_their_cells(folders: dict[str, Path]) -> None:
    sweep = load_sweep(folders["sweep"])
    texts = [text.get_text() for text in leader_diagram(sweep).axes[0].texts]
    assert len(texts) == 36
    assert sum(r"\{1\}" in text for text in texts) == (sweep.runs["leader"] == "{1}").sum()


@pytest.mark.parametrize(
    ("leaders", "text", "wins"),
    [
        (["{1}", "{1}", "{1}"], "$\\{1\\}$\n0.98", True),
        (["{2}", "{1}", "{2}"], "2× $\\{2\\}$\n1× $\\{1\\}$\n0.98", True),
        (["{2}", "{1}", "{1,2}"], "…", False),
        (["{2}", "{1}", "{2}", "{1}"], "2× ", False),
    ],
)
def test_replicates_that_differ_are_counted(folders: dict[str, Path], leaders: list[str], text: str, wins: bool) -> None:
    sweep = load_sweep(folders["sweep"])
    runs = pd.concat([sweep.runs.assign(replicate=at, leader=leader) for at, leader in enumerate(leaders, 1)])
    panel = leader_diagram(replace(sweep, runs=runs)).axes[0]
    assert all(text in one.get_text() for one in panel.texts)
    mesh = next(one for one in panel.collections if one.get_array() is not None)
    assert np.ma.count(mesh.get_array()) == (36 if wins else 0)


def test_runs_without_a_claim_make_no_statement(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(folders["sweep"], tmp_path / "sweep"))
    table = pd.read_csv(folder / "phase-diagram.csv", dtype="str", keep_default_na=False)
    table.loc[:9, [name for name in table if name.startswith("G2.") or name == "leader"]] = ""
    table.to_csv(folder / "phase-diagram.csv", index=False)
    sweep = load_sweep(folder)
    assert len(sweep.claims) == 26 and (sweep.claims["verdict"] == "holds").all()
    assert len(leader_diagram(sweep).axes[0].texts) == 26, "nothing was selected in ten"


def test_emergence_is_drawn_from_the_events(folders: dict[str, Path]) -> None:
    sweep = load_sweep(folders["emergence"])
    lengths, starts, ratios = emergence_scaling(sweep).axes
    fixed = sweep.runs.query("`initial.sigma` == 1e-4 and `target.weight` == 0.3 and `target.proportion` == 0.5")
    events = sweep.event("emergence")
    expected = events[events["flow"].isin(fixed["flow"])].sort_values("data.length")["t"].tolist()
    assert list(lengths.containers[0].lines[0].get_ydata()) == pytest.approx(expected)
    dashed = [line for line in starts.lines if line.get_label() == "_derived"]
    x, y = (np.asarray(values, dtype=float) for values in dashed[0].get_data())
    slopes = np.diff(y) / np.diff(np.log(x))
    assert slopes == pytest.approx([slopes[0]] * len(slopes)), "T/N is linear in log(1/σ)"
    points = [value for line in ratios.lines[1:] for value in line.get_ydata()]
    assert points == pytest.approx([1.0005] * 36)


def test_evaluation_is_drawn_with_two_errors(folders: dict[str, Path]) -> None:
    figure = generalisation(load_evaluation(folders["evaluation"]))
    assert [axes.get_title("left") for axes in figure.axes[:2]] == [r"$\alpha=0.05$", r"$\alpha=0.1$"]
    model = next(one for one in figure.axes[0].containers if one.get_label() == "model")
    assert list(model.lines[0].get_ydata()) == pytest.approx([0.57, 0.102, 0.0552])
    bar = model.lines[2][0].get_segments()[0]
    assert bar[1][1] - bar[0][1] == pytest.approx(4e-3)
    assert {text.get_text() for text in figure.legends[0].get_texts()} >= {"model", r"GIH$(\{1,2\})$"}


def test_one_kernel_has_its_losses(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(folders["evaluation"], tmp_path / "evaluation"))
    table = pd.read_csv(folder / "evaluation.csv")
    table[table["concentration"] == 0.05].assign(concentration=None).to_csv(folder / "evaluation.csv", index=False)
    figure = generalisation(load_evaluation(folder))
    assert [axes.get_title("left") for axes in figure.axes] == ["one kernel", ""]
    model = next(one for one in figure.axes[0].containers if one.get_label() == "model")
    assert list(model.lines[0].get_ydata()) == pytest.approx([0.57, 0.102, 0.0552])
    words = str(more_sections(read_subject(folder))[0][2])
    assert words.count(">one kernel<") == 3


def test_only_the_best_set_is_filled(folders: dict[str, Path]) -> None:
    axes = information_chart(load_information(folders["information"])).axes[0]
    bars = axes.containers[-1].patches
    assert [bar.get_width() for bar in bars] == pytest.approx([0.146, 0.166, 0.147, 0.198, 0.158, 0.168])
    assert [bool(bar.get_hatch()) for bar in bars] == [True, True, True, False, True, True]
    assert [text.get_text() for text in axes.get_yticklabels()][3] == r"$S_\ast=$ $\{1, 2\}$"


def test_the_best_set_is_shown_by_what_it_is_best_by(folders: dict[str, Path], tmp_path: Path) -> None:
    table = pd.read_csv(folders["information"] / "information.csv")
    logits = np.arange(len(table), 0, -1.0)
    table = table.assign(logits=logits, logits_se=0.1, deficit=logits[0] - logits, best=[1, *[0] * (len(table) - 1)])
    table.to_csv(tmp_path / "information.csv", index=False)
    axes = information_chart(load_information(tmp_path)).axes[0]
    assert [bar.get_width() for bar in axes.containers[-1].patches] == logits.tolist() and "G(S)" in axes.get_xlabel()
    assert axes.get_yticklabels()[0].get_text() == r"$S_\ast=$ $\{1\}$"
    words = str(more_sections(read_subject(tmp_path))[0][2])
    assert "for logits G" in words and "largest G" in words and "Ĩ" not in words


@pytest.mark.parametrize("last", [19, 400])
def test_the_best_set_is_among_those_that_have_room(folders: dict[str, Path], tmp_path: Path, last: int) -> None:
    row = pd.read_csv(folders["information"] / "information.csv").iloc[0].to_dict()
    sets = [{**row, "set": str(lag), "modified": 0.5, "best": int(lag == last)} for lag in range(1, last + 1)]
    pd.DataFrame(sets).to_csv(tmp_path / "information.csv", index=False)
    names = [text.get_text() for text in information_chart(load_information(tmp_path)).axes[0].get_yticklabels()]
    assert len(names) == 16 and "S_\\ast" in names[-1]
    assert "<b>S*</b>" in str(more_sections(read_subject(tmp_path))[0][2])


def test_solver_history_is_the_table_of_steps(folders: dict[str, Path]) -> None:
    run = load_run(folders["claimed"])
    figure = solver_history(run)
    axes = next(axes for axes in figure.axes if axes.get_label() == "step")
    line = next(line for line in axes.lines if line.get_label() == "_step")
    steps = run.steps[run.steps["stage"] == "selection"]
    assert list(line.get_ydata()) == steps["step"].tolist() and list(line.get_xdata()) == steps["t"].tolist()


def test_benchmarks_stand_where_they_were_measured(folders: dict[str, Path]) -> None:
    benchmarks = load_benchmarks(folders["benchmarks"])
    axes = work_precision(benchmarks).axes[0]
    lines = {line.get_label(): line for line in axes.lines}
    assert "SciPy BDF, compressed" not in lines, "differences are not drawn"
    # The stopped one stands where the same solver came with the other gradient.
    assert list(lines["diffrax Tsit5, dense"].get_xdata()) == [2e-3, 2e-5]
    assert list(lines["PyTorch descent, dense"].get_ydata()) == [36000]
    marks = gradient_speed(benchmarks).axes[0].lines
    assert [mark.get_xdata()[0] for mark in marks] == [0.3, 260], "what failed has no mark"


def test_names_are_unique_and_captions_are_sentences() -> None:
    assert all(kind.name == name and kind.caption.endswith(".") for name, kind in FIGURES.items())


def test_times_that_hardly_differ_have_colours_that_hardly_differ() -> None:
    low, high = _limits(2294.5, 2297.5)
    assert high - low > 0.09 * 2296 and low < 2294.5 < 2297.5 < high
    assert _limits(1.0, 2.0) == (1.0, 2.0)
    assert _limits(1.0, 1.0)[0] < _limits(1.0, 1.0)[1]

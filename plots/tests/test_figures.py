"""What holds for every figure: it can be read, it is drawn the same twice, and it says what it lacks."""

import os
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure
from overlaps import complaints

from gradflow_plots import FIGURES, RunError, figures_for, load, save_figure

#: Each figure and a synthetic folder that it is drawn of.
CASES = [
    ("three-stage", "claimed"), ("rates", "claimed"), ("attention", "claimed"), ("claims", "claimed"),
    ("solver", "claimed"), ("training", "trained"), ("convergence", "trained"), ("phases", "mixed"),
    ("claims", "mixed"), ("solver", "mixed"), ("phase-diagram", "sweep"), ("leaders", "sweep"), ("claims", "sweep"),
    ("emergence-scaling", "emergence"), ("claims", "emergence"), ("generalisation", "evaluation"),
    ("information", "information"), ("work-precision", "benchmarks"), ("gradient-speed", "benchmarks"),
    ("phase-portrait", "plane"),
]  # fmt: skip


def test_every_figure_is_tested() -> None:
    assert {name for name, _ in CASES} == set(FIGURES)


@pytest.mark.parametrize(("name", "folder"), CASES)
def test_a_figure_can_be_read_and_repeats(folders: dict[str, Path], tmp_path: Path, name: str, folder: str) -> None:
    figure = FIGURES[name].draw(load(folders[folder]))
    first = save_figure(figure, tmp_path / "a.svg", resolution=50)
    assert figure.get_figwidth() in (3.4, 5.0, 7.0)
    assert complaints(figure) == []
    if name in ("three-stage", "training") or (name, folder) in (("claims", "mixed"), ("solver", "mixed")):
        return  # the first is drawn twice in test_panel; the others are rows of the same columns
    with mpl.rc_context({"font.size": 20, "axes.facecolor": "red", "svg.hashsalt": "other"}):
        second = save_figure(FIGURES[name].draw(load(folders[folder])), tmp_path / "b.svg", resolution=50)
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(("name", "folder"), CASES)
def test_a_figure_applies_where_it_can_be_drawn(folders: dict[str, Path], name: str, folder: str) -> None:
    assert name in [kind.name for kind in figures_for(load(folders[folder]))]


def test_two_processes_draw_the_same_bytes(folders: dict[str, Path], tmp_path: Path) -> None:
    code = "import sys; from gradflow_plots.__main__ import main; out, *folders = sys.argv[1:]\n"
    code += "for name, folder in zip(['attention', 'leaders'], folders):\n"
    code += "    assert main([folder, '--out', out, '--only', name]) == 0\n"
    for number, seed in enumerate(("1", "2")):
        subprocess.run(
            [sys.executable, "-c", code, tmp_path / f"{number}", folders["claimed"], folders["sweep"]],
            check=True, capture_output=True, cwd=Path(__file__).parent.parent,
            env={**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": "C" if number else "C.UTF-8"},
        )  # fmt: skip
    drawn = sorted(path.name for path in (tmp_path / "0").iterdir())
    assert drawn == ["attention.png", "leaders.png"]
    for name in drawn:
        assert (tmp_path / "0" / name).read_bytes() == (tmp_path / "1" / name).read_bytes()


def test_complaints_can_be_made() -> None:
    """The helper itself: each fault is found."""
    figure = Figure(figsize=(3, 2), dpi=100)
    axes = figure.add_subplot(label="axes")
    axes.plot([0, 1], [0, 1], label="line")
    axes.text(0.4, 0.5, "one")
    axes.text(0.42, 0.5, "other")
    axes.text(0.9, -0.5, "a text that leaves the page")
    axes.text(0.1, 0.8, "small", fontsize=4)
    axes.legend(loc="center")
    found = " | ".join(complaints(figure))
    for fault in ("'other' overlaps 'one'", "leaves the page", "has 4", "covers 'line'", "the x axis", "the y axis"):
        assert fault in found


@pytest.mark.parametrize(
    ("name", "folder", "message"),
    [
        ("claims", "trained", None),
        ("rates", "mixed", "no stage trains c, w or a alone"),
        ("attention", "mixed", "no column attention"),
        ("generalisation", "claimed", r"no evaluation\.csv; gradflow evaluate"),
        ("emergence-scaling", "sweep", "run experiments/emergence-scaling"),
        ("phase-diagram", "emergence", "needs two swept keys; here data.length"),
        ("leaders", "emergence", "needs two swept keys and a column leader"),
    ],
)
def test_what_cannot_be_drawn_says_why(
    folders: dict[str, Path], name: str, folder: str, message: str | None
) -> None:
    source = load(folders[folder])
    if message is None:
        FIGURES[name].draw(source)
        return
    assert not FIGURES[name].suits(source)
    with pytest.raises(RunError, match=message) as caught:
        FIGURES[name].draw(source)
    assert str(folders[folder]) in str(caught.value)

"""The gallery and figures inside pages."""

import re
import threading
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from gradflow_plots import RunError, figure_svg, information_chart, load_information, theme_css
from gradflow_plots.gallery import GalleryRun, draw_figures, page, read_gallery, run_flows
from gradflow_plots.notebooks import read_notebooks

LIST = Path(__file__).parents[1] / "gallery.toml"
ROOT = LIST.parents[1]


def test_the_list_names_what_there_is() -> None:
    runs, figures = read_gallery(LIST)
    assert all((ROOT / run.experiment).is_file() for run in runs)
    assert len({figure.name for figure in figures}) == len(figures)
    used = {figure.of.split("/")[0] for figure in figures} | {run for one in read_notebooks(LIST) for run in one.runs}
    assert used - {""} == {run.name for run in runs}, "every run is drawn, or read by a notebook"


def test_the_page_that_stands_is_the_one_of_the_list() -> None:
    runs, figures = read_gallery(LIST)
    assert (LIST.parent / "gallery/README.md").read_text(encoding="utf-8") == page(runs, figures, ".build/release/gradflow")
    assert all((LIST.parent / "gallery" / f"{figure.name}.png").is_file() for figure in figures)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("run = 1", "cannot be read"),
        ('[[figure]]\nname="a"\nkind="b"\ncaption="c"\nof="d"', "of the kind b; there are three-stage"),
        ('[[figure]]\nname="a"\nkind="rates"\ncaption="c"\nof="d"', "drawn of d, which is no run"),
        ('[[run]]\nname="a"\nexperiment="b"\nextra=1', "extra"),
    ],
)
def test_lists_that_do_not_fit(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "gallery.toml").write_text(text)
    with pytest.raises(RunError, match=message):
        read_gallery(tmp_path / "gallery.toml")


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    """Return an experiment that nobody reads."""
    path = tmp_path / "experiment.yaml"
    path.write_text("# Why?\n")
    return path


@pytest.fixture
def program(tmp_path: Path) -> str:
    """Return a program that nobody calls."""
    path = tmp_path / "gradflow"
    path.write_text("1")
    path.chmod(0o755)
    return str(path)


def test_flows_are_run_once_and_anew_when_experiment_or_program_change(
    experiment: Path, program: str, tmp_path: Path
) -> None:
    calls: list[list[str]] = []

    def call(command: list[str], log: Path) -> int:
        calls.append(command[1:])
        (tmp_path / "runs/a").mkdir(exist_ok=True)
        return 0

    run = GalleryRun("a", str(experiment), set=["x=1"])
    expected = ["run", str(experiment), "--set", "x=1", "--out", str(tmp_path / "runs/a"), "--resume"]
    for _ in range(2):
        run_flows([run], program, tmp_path / "runs", call)
        assert calls == [expected]
    (tmp_path / "runs/a/old").write_text("")
    experiment.write_text("# Why not?\n")
    run_flows([run], program, tmp_path / "runs", call)
    assert calls == [expected] * 2 and not (tmp_path / "runs/a/old").exists()
    Path(program).write_text("2")
    run_flows([run], program, tmp_path / "runs", call)
    assert calls == [expected] * 3
    Path(program).unlink()
    with pytest.raises(RunError, match="there is no such program"):
        run_flows([run], program, tmp_path / "runs", call)


def test_flows_wait_for_those_that_are_run_into_the_same_folder(
    experiment: Path, program: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    order: list[str] = []

    def late() -> None:
        run_flows([GalleryRun("b", str(experiment))], program, tmp_path / "runs", lambda *_: order.append("b") or 0)

    thread = threading.Thread(target=late)

    def call(command: list[str], log: Path) -> int:
        thread.start()
        thread.join(0.2)
        order.append("a")
        return 0

    run_flows([GalleryRun("a", str(experiment))], program, tmp_path / "runs", call)
    thread.join(10)
    assert order == ["a", "b"] and "waits for another process" in capsys.readouterr().out


def test_an_interrupted_flow_goes_on_and_one_that_is_refused_begins_anew(
    experiment: Path, program: str, tmp_path: Path
) -> None:
    codes = [1, 2, 0]
    seen: list[bool] = []

    def call(command: list[str], log: Path) -> int:
        folder = tmp_path / "runs/a"
        seen.append((folder / "part").exists())
        folder.mkdir(exist_ok=True)
        (folder / "part").write_text("")
        return codes.pop(0)

    run = GalleryRun("a", str(experiment))
    with pytest.raises(RunError, match=r"exit code 1; .*a\.log says why"):
        run_flows([run], program, tmp_path / "runs", call)
    run_flows([run], program, tmp_path / "runs", call)
    # It goes on where it stood, is refused, and begins in an empty folder.
    assert seen == [False, True, False]


def test_figures_of_the_list_are_drawn_with_the_same_bytes(folders: dict[str, Path], tmp_path: Path) -> None:
    text = '[[figure]]\nname="i"\nkind="information"\ncaption="c"\n' + f'path="{folders["information"]}"'
    (tmp_path / "gallery.toml").write_text(text)
    _, figures = read_gallery(tmp_path / "gallery.toml")
    files = draw_figures(figures, tmp_path, tmp_path / "out")
    assert [file.name for file in files] == ["i.png", "i.svg"]
    first = [file.read_bytes() for file in files]
    assert [file.read_bytes() for file in draw_figures(figures, tmp_path, tmp_path / "out")] == first


@pytest.fixture
def svg(folders: dict[str, Path]) -> str:
    """Return a figure for a page."""
    return figure_svg(information_chart(load_information(folders["information"])), "one", title='I & "II"')


def test_a_figure_in_a_page_has_ids_of_its_own(svg: str, folders: dict[str, Path]) -> None:
    tree = ElementTree.fromstring(svg)
    ids = [one.get("id") for one in tree.iter() if one.get("id")]
    assert len(ids) == len(set(ids)) and all(str(one).startswith("one-") for one in ids)
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg))
    assert used and used <= set(ids), "every reference has its target"
    other = figure_svg(information_chart(load_information(folders["information"])), "two")
    assert not set(ids) & {one.get("id") for one in ElementTree.fromstring(other).iter()}
    assert "<metadata" not in svg and "<?xml" not in svg and "<!DOCTYPE" not in svg
    assert tree.get("aria-label") == 'I & "II"' and tree.get("viewBox") is not None


def test_colours_follow_the_page(svg: str, folders: dict[str, Path]) -> None:
    figure = information_chart(load_information(folders["information"]))
    assert "var(--gradflow-ink," in svg and "var(--gradflow-blue," in svg
    assert not re.search(r'style="[^"]*[^,]#(000000|0072b2)', svg), "no colour of the palette stays fixed"
    light, dark = (figure_svg(figure, "one", theme=theme) for theme in ("light", "dark"))
    assert "var(" not in light + dark
    assert "#000000" not in dark and "#e8e6e3" in dark.lower() and "#000000" in light
    names = set(re.findall(r"var\((--gradflow-\w+)", svg))
    css = theme_css()
    assert all(css.count(f"{name}:") == 3 for name in names)
    assert figure_svg(figure, "one", theme="dark") == dark


def test_prefixes_that_are_no_ids_are_refused(folders: dict[str, Path]) -> None:
    with pytest.raises(ValueError, match="a prefix of ids"):
        figure_svg(information_chart(load_information(folders["information"])), "1 x")

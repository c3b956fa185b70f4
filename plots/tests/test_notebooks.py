"""The notebooks as they are kept, and what makes and compares them; no kernel is started."""

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from gradflow_plots import RunError
from gradflow_plots.gallery import read_gallery, shell
from gradflow_plots.notebook import show
from gradflow_plots.notebooks import differences, kinds, main, read_notebooks, text_of, tidy, written

PLOTS = Path(__file__).parents[1]
LIST = PLOTS / "gallery.toml"
FILES = sorted((PLOTS / "notebooks").glob("*.ipynb"))


def read(path: Path) -> dict[str, Any]:
    """Return a notebook as JSON has it."""
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_list_names_the_notebooks_that_stand() -> None:
    assert {one.name for one in read_notebooks(LIST)} == {path.stem for path in FILES} and len(FILES) == 4
    assert sum(path.stat().st_size for path in FILES) < 2.5e6


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_notebook_is_kept_whole(path: Path) -> None:
    notebook = read(path)
    assert written(tidy(notebook)) == path.read_text(encoding="utf-8"), "make notebooks writes it anew"
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1)), "from start to end"
    types = {output["output_type"] for cell in code for output in cell["outputs"]}
    assert types <= {"stream", "execute_result"} and not [kind for cell in code for kind in kinds(cell) if kind.startswith("stderr")]
    assert sum("image/png" in output.get("data", {}) for cell in code for output in cell["outputs"]) >= 3
    assert sum(line.lstrip().startswith("assert ") for cell in code for line in text_of(cell["source"]).splitlines()) >= 5


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_notebook_begins_with_a_title_and_a_question(path: Path) -> None:
    first = read(path)["cells"][0]
    lines = text_of(first["source"]).splitlines()
    assert first["cell_type"] == "markdown" and lines[0].startswith("# ")
    assert lines[2].startswith("**Question.**") and "?" in lines[2]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_notebook_holds_no_path_of_a_machine(path: Path) -> None:
    notebook = read(path)
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop("image/png", None)
    assert not re.search(r"(?<![\w./])/(home|root|Users|tmp|work|usr|var|opt)/", json.dumps(notebook))


@pytest.mark.parametrize("one", read_notebooks(LIST), ids=lambda one: one.name)
def test_a_notebook_shows_the_commands_that_made_its_runs(one: Any) -> None:
    text = "\n".join(text_of(cell["source"]) for cell in read(PLOTS / f"notebooks/{one.name}.ipynb")["cells"])
    runs = {run.name: run for run in read_gallery(LIST)[0]}
    for name in one.runs:
        for arguments in runs[name].commands(Path("runs/nowhere") / name):
            command = shell([".build/release/gradflow", *arguments]).replace("runs/nowhere", "runs/gallery")
            assert f"\n    {command}\n" in text
        assert f'"{name}' in text, "it is read"


def test_a_notebook_of_a_run_that_is_not_listed_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list.toml").write_text('[[notebook]]\nname="a"\nruns=["b"]')
    with pytest.raises(RunError, match="a reads b, which is no run of the list"):
        read_notebooks(tmp_path / "list.toml")
    (tmp_path / "list.toml").write_text('[[notebook]]\nname="a"')
    with pytest.raises(RunError, match="cannot be read"):
        read_notebooks(tmp_path / "list.toml")


def test_a_notebook_that_is_not_listed_cannot_be_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check", "--list", str(LIST), "four-faces"]) == 2
    assert "no notebook four-faces; there are unveiling-induction-heads" in capsys.readouterr().err


def notebook_of(*outputs: dict[str, Any]) -> dict[str, Any]:
    """Return a notebook of one executed cell."""
    cell = {"cell_type": "code", "metadata": {}, "source": ["1"], "execution_count": 1, "outputs": list(outputs)}
    return {"cells": [cell]}


def printed(text: str, name: str = "stdout") -> dict[str, Any]:
    """Return what a cell prints."""
    return {"output_type": "stream", "name": name, "text": text.splitlines(keepends=True)}


@pytest.mark.parametrize(
    ("after", "same"),
    [
        ("rate 4.10e-04 holds at -12.5 for {1,2}\n", True),
        ("rate  -41,000 holds at 3 for {1,2}\n", True),
        ("rate 4 holds at 3 for {1,3}\n", False),
        ("rate nan holds at 3 for {1,2}\n", False),
        ("rate 1 rejected at 3 for {1,2}\n", False),
        ("rate 1 holds at 3 for {1,2}\nand 4\n", False),
        ("", False),
    ],
)
def test_texts_are_compared_without_their_digits(after: str, same: bool) -> None:
    before = notebook_of(printed("rate 0.5 holds at 7 for {1,2}\n"))
    assert (not differences(before, notebook_of(*([printed(after)] if after else [])))) == same


def test_a_warning_a_picture_less_or_an_error_is_a_difference() -> None:
    picture = {"output_type": "execute_result", "data": {"image/png": "AA", "text/plain": ["<figure>"]}}
    table = {"output_type": "execute_result", "data": {"text/plain": ["<figure>"]}}
    error = {"output_type": "error", "ename": "AssertionError", "evalue": "the law", "traceback": []}
    assert not differences(notebook_of(picture), notebook_of(picture))
    for other in (table, error, printed("careful\n", "stderr")):
        assert differences(notebook_of(picture), notebook_of(other))
    assert "standard error" in differences(notebook_of(printed("a\n", "stderr")), notebook_of(printed("a\n", "stderr")))[0]


def test_what_differs_from_machine_to_machine_is_not_kept() -> None:
    one = notebook_of(printed("a\n"), printed("b\n"))
    other = copy.deepcopy(one)
    other["metadata"] = {"language_info": {"version": "3.13.1"}}
    other["cells"][0] |= {"id": "f3", "metadata": {"execution": {"iopub.execute_input": "2026-01-01"}}}
    assert written(tidy(one)) == written(tidy(other))
    assert tidy(one)["cells"][0]["outputs"] == [{"name": "stdout", "output_type": "stream", "text": ["a\n", "b\n"]}]


@pytest.fixture
def figure() -> Callable[[], Figure]:
    """Return what makes a small figure."""

    def make() -> Figure:
        made = Figure(figsize=(2, 1))
        made.subplots().plot([1, 2])
        return made

    return make


def test_a_figure_is_shown_with_the_same_bytes(figure: Callable[[], Figure]) -> None:
    picture = show(figure())
    png, metadata = picture._repr_png_()
    assert png.startswith(b"\x89PNG") and metadata == {"width": 192} and repr(picture) == "<figure of 2 by 1 inches>"
    assert png == show(figure()).png

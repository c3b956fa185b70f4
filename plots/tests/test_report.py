"""Reports: what a page holds, that nothing in a folder can be markup, and that the same folders give the same bytes."""

import dataclasses
import hashlib
import html.parser
import json
import math
import os
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import synthetic_tables

from gradflow_plots import RunError, figures_for
from gradflow_plots.report import MARK, page, read_subject
from gradflow_plots.report.__main__ import main
from gradflow_plots.report.markup import Html, tag, text
from gradflow_plots.report.origin import shell_word

RUN_SECTIONS = "claims times figures solver symbols origin again".split()
TABLE_SECTIONS = "figures solver origin again".split()


class Reader(html.parser.HTMLParser):
    """Collects tags, ids, links, and texts, and checks that elements close in the order in which they open."""

    def __init__(self, whole: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(whole)
        assert self.open == []

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((name, dict(attributes)))
        if name not in ("meta", "link", "br"):
            self.open.append(name)

    def handle_startendtag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((name, dict(attributes)))

    def handle_endtag(self, name: str) -> None:
        assert self.open.pop() == name

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("style",):
            self.texts.append(data)

    @property
    def words(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.texts))


def checked(whole: str) -> Reader:
    """Read a page; ids are unique, links lead somewhere, and nothing is fetched or run."""
    reader = Reader(whole)
    ids = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    names = {name for name, _ in reader.tags}
    assert not names & {"script", "iframe", "img", "object", "form", "base", "a:href"}
    for name, attributes in reader.tags:
        for key, value in attributes.items():
            assert not key.startswith("on") and key != "src"
            if key in ("href", "xlink:href"):
                assert value == "data:," or (value or "").startswith(("#", "data:image/png;base64,")), (name, value)
                assert not (value or "").startswith("#") or (value or "")[1:] in ids
            assert "url(" not in (value or "") or re.findall(r"url\((.)", value or "") == ["#"] * (value or "").count("url(")
    assert "http-equiv" in str(reader.tags) and "default-src 'none'" in whole
    return reader


def sections(reader: Reader) -> list[str]:
    return [str(attributes["id"]).removeprefix("r1-") for name, attributes in reader.tags if name == "section"]


def change(folder: Path, **parts: Any) -> Path:
    """Change parts of a manifest."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8")) | parts
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


@pytest.fixture
def run(folders: dict[str, Path], tmp_path: Path) -> Path:
    """Return the folder of a run with claims, which a test may change."""
    return Path(shutil.copytree(folders["claimed"], tmp_path / "0001 it's <b>a run"))


def without_figures(*paths: Path, partial: bool = False) -> str:
    return page([read_subject(path, is_partial=partial) for path in paths], room=0)


# MARK: What a page holds


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("claimed", RUN_SECTIONS),
        ("trained", ["claims", "times", "training", *RUN_SECTIONS[2:]]),
        ("mixed", RUN_SECTIONS),
        ("sweep", ["grid", *RUN_SECTIONS]),
        ("emergence", ["grid", "claims", "times", *TABLE_SECTIONS]),
        ("evaluation", ["losses", *TABLE_SECTIONS]),
        ("plane", ["points", *TABLE_SECTIONS]),
        ("information", ["sets", "figures", "origin", "again"]),
        ("benchmarks", ["measurements", "figures", "origin", "again"]),
    ],
)
def test_every_kind_of_folder_has_its_sections_and_repeats(
    folders: dict[str, Path], folder: str, expected: list[str]
) -> None:
    whole = without_figures(folders[folder])
    assert sections(checked(whole)) == expected
    assert without_figures(folders[folder]) == whole


def test_a_run_says_what_its_files_say(run: Path) -> None:
    statistics = {"steps": 286, "derivative_evaluations": 314, "jacobian_evaluations": 5, "error_test_failures": 2,
                  "loss_at_start": 0.64, "loss_at_end": 0.22, "gradient_norm_at_end": 3.4e-17}  # fmt: skip
    stages = json.loads((run / "manifest.json").read_text())["stages"]
    stages[-1] |= {"statistics": statistics, "ending": "end of the stage"}
    laws = [{"name": "C_D conserved", "value": 1.3e-7, "limit": 1e-6, "passed": True, "explanation": "largest change"},
            {"name": "final gradient norm", "value": 3e-17, "limit": "inf", "passed": True, "explanation": "at the end"}]  # fmt: skip
    stated = hashlib.sha256((run / "experiment.yaml").read_bytes()).hexdigest()
    change(run, stages=stages, laws=laws, start="2026-11-22T08:00:00.000Z", end="2026-11-22T08:00:01.500Z",
           program_version="0.1.0", source={"commit": "c0ffee", "dirty": True}, seeds={"data": 7}, kernel_path="x86-64-v4",
           libraries={"SUNDIALS": "6.4.1"}, experiment_sha256=stated)  # fmt: skip
    words = checked(without_figures(run)).words
    for expected in (
        "A synthetic run", "14 statements hold", "3 stages, 286 steps", "loss 0.22", "1.5", "slope, S*={1,2}, S={1}",
        "≤ 0.02", "not reached by t = 200000", "copying-complete.3", "C_D conserved", "largest change",
        "gradflow 0.1.0", "c0ffee with changes", "data 7", "SUNDIALS 6.4.1", "x86-64-v4", "matches",
        "git checkout c0ffee", "name: three-stage",
    ):  # fmt: skip
        assert expected in words, expected
    assert "✗" not in words and "Not complete" not in words
    (run / "experiment.yaml").write_text("# Another question?\nname: other\n")
    assert "experiment.yaml was changed after the run" in checked(without_figures(run)).words


def test_what_one_stage_reached_is_not_among_what_was_not(run: Path) -> None:
    (run / "events.csv").write_text(
        "stage,name,t,t_error,status\nselection,selection.1+2,1e5,,not reached\ncopying,selection.1+2,1.2e5,1,reached\n"
        "selection,selection.3,1e5,,not reached\ncopying,selection.3,2e5,,not reached\n"
    )
    words = checked(without_figures(run)).words
    missed = words.partition("Not reached")[2][:160]
    assert "selection.1+2" not in missed and missed.count("selection.3") == 1 and "> 200000" in missed


def test_a_resumed_run_has_no_time_that_it_took(run: Path) -> None:
    change(run, start="2026-11-22T08:00:00.000Z", end="2026-11-25T08:00:01.500Z", resumptions=[])
    assert read_subject(run).seconds == 259201.5
    change(run, resumptions=["2026-11-25T08:00:00.000Z"])
    assert math.isnan(read_subject(run).seconds)


def test_rejected_claims_and_broken_laws_are_seen(run: Path) -> None:
    synthetic_tables.write_claims(run, rejected=True)
    change(run, laws=[{"name": "loss never rises", "value": 1, "limit": 0.1, "passed": False, "explanation": "rise"}])
    words = checked(without_figures(run)).words
    assert "13 statements hold, 1 rejected" in words and words.count("✗ rejected") == 2
    assert "1 law broken" in words and "✗ BROKEN" in words


def test_figures_stand_inside_with_names_of_their_own(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    subjects = [read_subject(folders[name]) for name in ("information", "emergence")]
    monkeypatch.setattr("gradflow_plots.report.figures.figures_for", lambda source: figures_for(source)[:1])
    whole = page(subjects)
    reader = checked(whole)
    figures = [attributes for name, attributes in reader.tags if name == "svg"]
    assert len(figures) == 2 and all(one["role"] == "img" and one["aria-label"] for one in figures)
    described = {one["aria-describedby"] for one in figures}
    assert described <= {attributes.get("id") for _, attributes in reader.tags} and len(described) == 2
    assert "What every set of lags tells" in reader.words and "2 runs side by side" in reader.words
    assert len(whole.encode()) < 600_000
    drawn = re.search(r"<svg.*?</svg>", whole, re.DOTALL)
    assert drawn is not None and drawn[0] in page(subjects[:1]), "a figure has the same bytes in another page"


def test_a_figure_that_fails_is_left_out_and_named(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(source: object) -> None:
        raise ZeroDivisionError("by <nothing>")

    kinds = figures_for(read_subject(folders["information"]).source)
    bad = dataclasses.replace(kinds[0], name="bad", draw=fail)
    monkeypatch.setattr("gradflow_plots.report.figures.figures_for", lambda source: [bad, *kinds])
    assert main([str(folders["information"]), "--out", str(tmp_path / "a.html")]) == 0
    reader = checked((tmp_path / "a.html").read_text(encoding="utf-8"))
    said = "a fault of gradflow_plots, ZeroDivisionError: by <nothing>"
    assert f"The figure bad cannot be drawn: {said}" in reader.words and "svg" in {name for name, _ in reader.tags}
    assert f"the figure bad is left out: {said}" in capsys.readouterr().err


def test_figures_that_have_no_room_are_named(folders: dict[str, Path]) -> None:
    words = checked(without_figures(folders["claimed"])).words
    assert "Left out, so that the page stays small: three-stage, rates, attention, claims, solver." in words


def test_runs_side_by_side(run: Path, folders: dict[str, Path]) -> None:
    (run / "experiment.yaml").write_text("# A synthetic run\nname: three-stage\nsolver:\n  method: adams\n")
    (run / "events.csv").write_text(
        "stage,name,t,t_error,status\nselection,selection.1+2,1783.88375902,9.1e-05,reached\n"
        "copying,copying-complete.1,123456.75,0.5,reached\n"
    )
    stages = json.loads((run / "manifest.json").read_text())["stages"]
    change(run, stages=[{**stages[0], "trained_groups": ["c", "w"]}, *stages[1:]])
    words = checked(without_figures(folders["claimed"], run)).words
    assert "Keys that differ" in words and "solver.method not set adams" in words
    assert "Phase times side by side" in words and "1783.883759 ± 9.1e-05" in words
    assert " 23456.75 ± 0.5" in words, "on the clock of its stage"
    assert "stages selection: c for 100000, copying: w for 100000" in words and "selection: c w for 100000" in words


def test_symbols_are_those_of_the_model(folders: dict[str, Path]) -> None:
    staged, mixed = (checked(without_figures(folders[name])).words for name in ("claimed", "mixed"))
    assert "σ^h_i the attention of head h" in staged and "L_IH" not in staged
    assert "L_IH the part of the loss" in mixed and "σ^h_i" not in mixed


def test_a_sweep_sums_up_and_says_what_is_missing(folders: dict[str, Path], tmp_path: Path) -> None:
    words = checked(without_figures(folders["sweep"])).words
    assert "data.concentration" in words and "36 of 36 runs finished" in words
    assert "36 statements hold" in words and "1.0100 … 1.0100" in words
    assert re.search(r"copying-complete\.1 copying \d\d of 36", words) and "lower bound" in words
    sweep = Path(shutil.copytree(folders["sweep"], tmp_path / "sweep"))
    table = pd.read_csv(sweep / "phase-diagram.csv")
    table["message"] = table["message"].astype("object")
    table.loc[3, ["status", "message"]] = ["failed", "step limit <b>reached</b>"]
    table.to_csv(sweep / "phase-diagram.csv", index=False)
    change(sweep, status={"state": "failed"}, flows={"total": 40, "finished": 35, "failed": 1, "stopped": 0})
    words = checked(without_figures(sweep)).words
    assert "Not complete: of 40 runs 1 failed, 4 not run." in words and "step limit <b>reached</b>" in words


# MARK: What is not as it should be


def test_an_incomplete_run_is_refused_and_with_partial_says_so(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(run, status={"state": "stopped", "message": "stopped by a signal"})
    assert main([str(run)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("gradflow: ") and "is stopped (stopped by a signal)" in said and "What to do: " in said
    assert not (run / "report.html").exists()
    words = checked(without_figures(run, partial=True)).words
    assert "Not complete: stopped by a signal. What stands here is what was recorded" in words
    assert "--resume" in words and "--partial" in words


@pytest.mark.parametrize(("state", "expected"), [("running", "no end is recorded"), ("failed", "Not complete: failed")])
def test_a_run_without_tables_is_no_more_than_its_manifest(run: Path, state: str, expected: str) -> None:
    change(run, status={"state": state})
    for name in ("trajectory.csv", "events.csv", "steps.csv", "claims.csv"):
        (run / name).unlink()
    reader = checked(without_figures(run, partial=True))
    assert expected in reader.words and "has no trajectory.csv, events.csv, steps.csv" in reader.words
    assert sections(reader) == ["solver", "origin", "again"]


@pytest.mark.parametrize("lacking", ["experiment.yaml", "manifest.json", "events.csv"])
def test_missing_files_are_named(run: Path, lacking: str, capsys: pytest.CaptureFixture[str]) -> None:
    (run / lacking).unlink()
    assert main([str(run)]) == 2
    said = capsys.readouterr().err
    assert lacking in said and "What to do: " in said


# MARK: Nothing that is read is markup


HOSTILE = "<script>alert(1)</script> & \"'><img src=x onerror=alert(1)> \x1b[31m\x00 ‮ </details></main>"


def test_whatever_files_say_is_text(run: Path) -> None:
    claims = pd.read_csv(run / "claims.csv")
    for column in ("statement", "reference", "note"):
        claims[column] = HOSTILE.replace("\x00", "")
    claims.to_csv(run / "claims.csv", index=False)
    (run / "events.csv").write_text("stage,name,t,t_error,status\n" + f'selection,"<b>{"x" * 300}</b>",1,,<i>no\n')
    (run / "experiment.yaml").write_text(f"# {HOSTILE}\nsolver:\n  method: {HOSTILE}\n", encoding="utf-8")
    change(run, status={"state": "failed", "message": HOSTILE}, seeds={HOSTILE: 1}, libraries={HOSTILE: HOSTILE},
           machine={"cpu_model": HOSTILE}, source={"commit": HOSTILE}, program_version=HOSTILE, compiler=HOSTILE,
           laws=[{"name": HOSTILE, "value": "nan", "limit": 1, "passed": True, "explanation": HOSTILE}],
           quantities=[{"name": HOSTILE, "text": HOSTILE}], start=HOSTILE, end=HOSTILE)  # fmt: skip
    whole = without_figures(run, partial=True)
    reader = checked(whole)
    assert "<script>alert(1)</script> & \"'><img src=x onerror=alert(1)>" in reader.words
    assert not re.search("[\x00-\x08\x0b-\x1f‮]", whole)
    assert "0001 it's <b>a run" in reader.words


def test_markup_is_markup_only_where_it_was_made() -> None:
    assert text("<b>") == "&lt;b&gt;" and text(tag("b", "<")) == "<b>&lt;</b>"
    assert tag("p", Html("<br>") + "<i>") == "<p>&lt;br&gt;&lt;i&gt;</p>", "what is added to markup is text again"
    assert tag("p", title=Html('"<')) == '<p title="&quot;&lt;"></p>'


@pytest.mark.parametrize("word", ["plain", "with space", "it's", "$(x) `y`", "-n", "ä;|&\"\\"])
def test_commands_are_quoted(word: str) -> None:
    assert shlex.split(shell_word(word)) == [word]


def test_control_characters_in_commands_are_escaped() -> None:
    assert shell_word("a\nb'c\\") == r"$'a\x0ab\x27c\x5c'"


def test_claims_of_an_older_program_are_refused(
    run: Path, folders: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = Path(shutil.copytree(folders["sweep"], tmp_path / "sweep"))
    for folder, name in ((run, "claims.csv"), (sweep, "phase-diagram.csv")):
        table = pd.read_csv(folder / name)
        table.drop(columns=[column for column in table if column.endswith("relation")]).to_csv(folder / name, index=False)
        assert main([str(folder)]) == 2
        assert re.search(name + r": no column (G2\.1\.)?relation, .* What to do: .*run it again\.$", capsys.readouterr().err.strip())


# MARK: The command line


def test_the_page_goes_beside_the_run_and_replaces_only_a_page(
    folders: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gradflow_plots.report.figures.figures_for", lambda _: [])
    folder = Path(shutil.copytree(folders["plane"], tmp_path / "plane"))
    before = sorted(path.name for path in folder.iterdir())
    assert main([str(folder)]) == 0
    out = folder / "report.html"
    assert capsys.readouterr().out == f"{out}\n" and MARK in out.read_text(encoding="utf-8")
    first = out.read_bytes()
    assert main([str(folder)]) == 0 and out.read_bytes() == first, "the page is no part of what it reports"
    assert sorted(path.name for path in folder.iterdir()) == sorted([*before, "report.html"])
    out.write_text("mine")
    assert main([str(folder)]) == 2 and out.read_text() == "mine"
    assert "no report of gradflow. What to do: " in capsys.readouterr().err
    out.unlink()
    os.mkfifo(out)
    assert main([str(folder)]) == 2, "a pipe is not read"
    monkeypatch.chdir(tmp_path)
    assert main([str(folder), str(folders["information"])]) == 0 and (tmp_path / "report.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "gradflow: the following arguments are required: RUN. What to do: gradflow report --help"),
        (["x", "--nothing"], "gradflow: unrecognized arguments: --nothing. What to do: "),
        (["x", "--out", "x.pdf"], "ends in .html. What to do: "),
        (["x", "./x"], "named twice. What to do: "),
        (["nowhere"], "there is no such folder. What to do: "),
    ],
)
def test_wrong_use(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        code = main(arguments)
    except SystemExit as exit:
        code = int(str(exit.code))
    said = capsys.readouterr().err
    assert code == 2 and message in said and said.startswith("gradflow: ") and said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradflow_plots.report.figures.figures_for", lambda _: [])
    (tmp_path / "file").write_text("")
    assert main([str(run), "--out", str(tmp_path / "file" / "a.html")]) == 2
    assert main([str(run), "--out", str(tmp_path / "nowhere" / "a.html")]) == 2
    assert not (tmp_path / "nowhere").exists()


def test_a_file_is_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.yaml").write_text("data: {}\n")
    assert main([str(tmp_path / "mine.yaml")]) == 2
    assert "this is a file; give the folder" in capsys.readouterr().err


def test_a_folder_of_tables_alone_is_its_manifest(tmp_path: Path) -> None:
    law = {"name": "error of IH₂", "value": 0.1, "limit": 0.2, "passed": True, "explanation": "largest error"}
    (tmp_path / "manifest.json").write_text(json.dumps(synthetic_tables.MANIFEST | {"tables": ["lags.csv"], "laws": [law]}))
    words = checked(without_figures(tmp_path)).words
    assert "error of IH₂" in words and "Bounds" in words
    with pytest.raises(RunError, match="no manifest"):
        read_subject(tmp_path.parent)

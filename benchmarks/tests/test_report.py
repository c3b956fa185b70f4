"""Tables and the figure."""

from pathlib import Path

import pytest

from peers import report
from peers.cases import Case

MACHINE = {
    "processor": "a processor",
    "cores": 2,
    "threads": 2,
    "date": "2026-01-01",
    "packages": {"numpy": "1"},
    "limit": 600,
    "checks": {"reference": {"distance_max": 1e-9}, "independent": {"distance_max": 2e-9}},
}


def record(case: Case, **values: object) -> report.Record:
    """Return a record as the harness makes it."""
    finished = {
        "status": "finished",
        "compile_seconds": 3.0,
        "evaluations": 500,
        "note": "",
        "limit": 600,
    }
    return {"method": case.method, "setting": case.setting, **case.to_json(), **finished, **values}


def own(rtol: float, seconds: float, distance: float) -> report.Record:
    """Return a record of gradflow."""
    case = Case("gradflow", "BDF", "own", "exact", rtol)
    return record(case, seconds=seconds, distance_max=distance)


RECORDS = [
    own(1e-4, 0.5, 1e-3),
    own(1e-6, 1.0, 1e-5),
    own(1e-8, 2.0, 1e-7),
    record(Case("diffrax", "Tsit5", "compressed", rtol=1e-4), seconds=4.0, distance_max=1e-3),
    record(Case("diffrax", "Tsit5", "compressed", rtol=1e-6), seconds=8.0, distance_max=1e-5),
    record(Case("diffrax", "Tsit5", "dense", rtol=1e-4), seconds=400.0, distance_max=1e-3),
    record(Case("diffrax", "Tsit5", "dense", rtol=1e-6), status="limit", seconds=600, reached_t=2e5),
    record(Case("SciPy", "BDF", "compressed", "exact", 1e-6), status="failed", note="too small a step"),
    record(
        Case("PyTorch", "descent", "dense", rate=1.0),
        status="extrapolated",
        seconds=36000.0,
        steps=300000,
    ),
]
GRADIENTS = [
    {"objective": "o", "program": "gradflow", "status": "finished", "milliseconds": 2.0,
     "fastest_milliseconds": 1.9},
    {"objective": "o", "program": "JAX dense", "status": "finished", "milliseconds": 300.0,
     "fastest_milliseconds": 290.0},
    {"objective": "o", "program": "PyTorch", "status": "failed", "note": "no compiler"},
]  # fmt: skip


def test_times_are_interpolated_in_logarithms() -> None:
    points = [own(1e-4, 1.0, 1e-2), own(1e-6, 4.0, 1e-4)]
    assert report.seconds_at(points, 1e-3) == pytest.approx(2)
    assert report.seconds_at(points, 1e-4) == pytest.approx(4)
    assert report.seconds_at(points, 1e-5) is None
    assert report.seconds_at(points, 1e-1) == 1
    assert report.seconds_at(points[:1], 1e-3) is None


def test_settings_that_others_beat_do_not_count() -> None:
    points = [own(1e-4, 1.0, 1e-2), own(1e-5, 9.0, 1e-1), own(1e-6, 4.0, 1e-4)]
    assert report.seconds_at(points, 1e-3) == pytest.approx(2)


def test_tables_say_ratios_and_bounds() -> None:
    text = report.summary(RECORDS, GRADIENTS, MACHINE)
    rows = {line.split("  ")[0].strip(): line.split() for line in text.splitlines() if line}
    assert rows["diffrax Tsit5, compressed"][3:8] == ["8", "s", "8", "1e-05", "500"]
    assert rows["diffrax Tsit5, dense"][3:8] == [">", "600", "s", ">", "600"]
    assert "~ 10.0 h" in text and "120 ms" in text
    assert rows["JAX dense"][-5:] == ["300", "ms", "150", "290", "ms"]
    assert "failed: SciPy BDF, compressed, Hessian, rtol 1e-06: too small a step" in text
    assert all(len(line) <= 130 for line in text.splitlines())


def test_disturbed_measurements_are_named() -> None:
    busy = [RECORDS[0] | {"other_cores": 1.5}, RECORDS[1] | {"other_cores": 0.1}]
    assert "during 1 of 2 measurements" in report.summary(busy, [], MACHINE)
    assert "idle machine" not in report.summary(RECORDS, [], MACHINE)


def test_results_read_back(tmp_path: Path) -> None:
    report.write_results(tmp_path, RECORDS, GRADIENTS, MACHINE)
    records, gradients, machine = report.read_records(tmp_path)
    assert report.summary(records, gradients, machine) == report.summary(RECORDS, GRADIENTS, MACHINE)
    assert [r["method"] for r in records] == [r["method"] for r in RECORDS]


def test_figure_marks_what_was_stopped(tmp_path: Path) -> None:
    from peers.figure import save, work_precision

    figure = work_precision(RECORDS, 600)
    axes = figure.axes[0]
    lines = {line.get_label(): line for line in axes.get_lines()}
    dense = lines["diffrax Tsit5, dense"]
    assert list(dense.get_xdata()) == [1e-3, 1e-5]  # the stopped one where the compressed one came
    assert list(dense.get_ydata()) == [400, 600]
    assert any("stopped after 600 s" in text.get_text() for text in figure.legends[0].get_texts())
    assert save(RECORDS, 600, tmp_path / "figure.png").stat().st_size > 10_000

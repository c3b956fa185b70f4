"""Derived laws over the flow: what is drawn is what the tables say, and exact laws are straight lines."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from synthetic import END, leak
from synthetic_tables import rates, write_claims

from gradflow_plots import Run, attention_maps, claims_chart, load_run, phases_panel, rate_panels, three_stage_panel
from gradflow_plots.claims import ratio_laws
from gradflow_plots.laws import copying_leaks, growth_exponent, scale_at_rest, selection_rates, selection_time
from gradflow_plots.overlays import derived_shares


def panel(figure: Figure, label: str) -> Axes:
    """Return the axes with a label."""
    return next(axes for axes in figure.axes if axes.get_label() == label)


def straightness(x: np.ndarray, y: np.ndarray) -> float:
    """Return the largest distance from the line through the ends, over the rise."""
    line = y[0] + (y[-1] - y[0]) * (x - x[0]) / (x[-1] - x[0])
    return float(np.abs(y - line).max() / np.ptp(y))


@pytest.fixture
def run(folders: dict[str, Path]) -> Run:
    """Return a run whose laws hold exactly."""
    return load_run(folders["claimed"])


def test_claims_are_read_by_what_they_say(run: Run) -> None:
    best, slopes = selection_rates(run)
    assert best == "1+2" and set(slopes) == {"1", "2", "3", "1+3", "2+3"}
    assert {name: law.derived for name, law in slopes.items()} == pytest.approx(rates())
    assert slopes["1"].ratio == pytest.approx(1.0005)
    time = selection_time(run)
    assert time is not None and time[0] == 0.99 and time[1].derived == 5200
    assert {head: clock for head, (clock, _) in copying_leaks(run, "asymptote").items()} == {"1": 1e5, "2": 1e5}
    assert growth_exponent(run) is None and scale_at_rest(run) is not None


def test_selection_is_straight_in_t(run: Run) -> None:
    axes = panel(rate_panels(run), "c")
    assert axes.get_xscale() == axes.get_yscale() == "linear"
    flows = [line for line in axes.lines if not line.get_label().startswith("_")]
    derived = {line.get_label(): line for line in axes.lines if line.get_label().startswith("_derived")}
    assert len(flows) == len(derived) == 5
    slopes = sorted(rates().values(), reverse=True)
    for line, slope in zip(flows, slopes, strict=True):
        x, y = (np.asarray(values, dtype=float) for values in line.get_data())
        assert straightness(x, y) < 1e-6
        assert (y[-1] - y[0]) / (x[-1] - x[0]) == pytest.approx(slope, rel=1e-6)
        assert line.get_label().endswith("1.0005")
    for subset, slope in rates().items():
        x, y = (np.asarray(values) for values in derived[f"_derived.{subset}"].get_data())
        assert (y[-1] - y[0]) / (x[-1] - x[0]) == pytest.approx(slope, rel=1e-6)


def test_a_flow_off_its_law_is_not_straight(run: Run) -> None:
    """The check can fail: shares that grow like a power are curved."""
    bent = run.trajectory.assign(**{"share.1": run.trajectory["share.1"] / (1 + run.trajectory["t"])})
    axes = panel(rate_panels(replace(run, trajectory=bent)), "c")
    line = next(line for line in axes.lines if line.get_label().startswith(r"$\{1\}"))
    assert straightness(*(np.asarray(values, dtype=float) for values in line.get_data())) > 0.05


def test_copying_is_straight_in_log_log(run: Run) -> None:
    axes = panel(rate_panels(run), "w")
    assert axes.get_xscale() == axes.get_yscale() == "log"
    line = next(line for line in axes.lines if line.get_label().startswith("head 1"))
    x, y = (np.asarray(values, dtype=float) for values in line.get_data())
    exact = leak(x, 0)
    assert y == pytest.approx(exact, rel=1e-6), "1 − σ is the sum of the other lags"
    late = x > 1e4
    assert straightness(np.log(x[late]), np.log(y[late])) < 0.03
    assert straightness(x[late], y[late]) > 0.3, "on other axes it is curved"
    asymptote = next(line for line in axes.lines if line.get_label() == "_derived.1")
    x, y = (np.asarray(values) for values in asymptote.get_data())
    assert straightness(np.log(x), np.log(y)) < 1e-12
    assert np.polyfit(np.log(x), np.log(y), 1)[0] == pytest.approx(-1)
    assert y[-1] == pytest.approx(leak(np.array([END]), 0)[0])


def test_growth_is_straight_in_log_t(run: Run, tmp_path: Path, folders: dict[str, Path]) -> None:
    """With G6 in the claims the dashed line has the slope 1/r, and so has a flow of ȧ = K e^{−ra}."""
    exponent = 1.5
    stage = run.stages[2]
    clock = run.trajectory["t"] - stage.start
    grown = np.log1p(exponent * 0.3 * clock.clip(lower=0)) / exponent
    claims = run.claims[run.claims["claim"] != "G7"].copy()
    row = claims.iloc[[0]].assign(claim="G6", statement="local exponent r, against GIH({1,2})", derived=exponent,
                                  measured=exponent)  # fmt: skip
    flow = replace(run, trajectory=run.trajectory.assign(a=0.01 + grown), claims=type(claims)(
        [*claims.to_dict("records"), *row.to_dict("records")]))  # fmt: skip
    axes = panel(rate_panels(flow), "a")
    assert axes.get_xscale() == "log" and axes.get_yscale() == "linear"
    measured, derived = axes.lines
    x, y = (np.asarray(values, dtype=float) for values in measured.get_data())
    late = x > 1e3
    assert straightness(np.log(x[late]), y[late]) < 1e-3
    for line, part in ((measured, late), (derived, slice(None))):
        x, y = (np.asarray(values, dtype=float)[part] for values in line.get_data())
        assert np.polyfit(np.log(x), y, 1)[0] == pytest.approx(1 / exponent, rel=1e-3)


def test_derived_shares_are_those_of_the_law(run: Run) -> None:
    shares = derived_shares(run, run.stages[0])
    assert shares is not None
    assert shares.drop(columns="clock").sum(axis=1).to_numpy() == pytest.approx(1)
    samples = run.samples(run.stages[0])
    flow = samples[samples["clock"] > 0]["share.1+2"].to_numpy()
    assert shares["1+2"].to_numpy() == pytest.approx(flow, abs=1e-9)
    assert derived_shares(run, run.stages[1]) is None
    incomplete = run.claims[~run.claims["statement"].str.endswith("S={3}")]
    assert derived_shares(replace(run, claims=incomplete), run.stages[0]) is None


def test_the_panel_shows_what_is_derived(run: Run, run_folder: Path) -> None:
    figure = three_stage_panel(run)
    rows = {axes.get_label(): axes for axes in figure.axes if axes.get_subplotspec().colspan.start == 0}
    assert sum(line.get_label() == "_derived" for line in rows["share"].lines) == 6
    key = [text.get_text() for axes in figure.axes if axes.get_legend() for text in axes.get_legend().get_texts()]
    assert key.count("derived") == 2 and r"derived $a_\infty$" in key
    plain = three_stage_panel(load_run(run_folder))
    assert not any("derived" in str(line.get_label()) for axes in plain.axes for line in axes.lines)


def test_errors_of_sampling_widen_the_bars(folders: dict[str, Path]) -> None:
    run = load_run(folders["mixed"])
    strip = next(axes for axes in phases_panel(run).axes if axes.get_label() == "events")
    segments = [container.lines[2][0].get_segments()[0] for container in strip.containers]
    halves = [(end[0] - start[0]) / 2 for start, end in segments]
    assert halves == pytest.approx([np.hypot(1e-3, 30.0)] * 5, rel=1e-6)


def test_attention_maps_hold_the_table(run: Run) -> None:
    figure = attention_maps(run)
    maps = [axes for axes in figure.axes if axes.get_label() == "head 2"]
    assert len(maps) == 3
    samples = run.samples(run.stages[1])
    expected = samples[samples["clock"] > 0][[f"attention.2.{lag}" for lag in "123"]].to_numpy().T
    mesh = maps[1].collections[0]
    assert np.asarray(mesh.get_array()).reshape(expected.shape) == pytest.approx(expected)
    assert mesh.get_clim() == (0, 1)


def test_claims_with_bounds_and_zeros_have_no_ratio(run: Run, run_folder: Path, tmp_path: Path) -> None:
    assert {law.claim for law in ratio_laws(run)} == {"G2", "G3", "G4", "G5", "G7"}
    axes = claims_chart(run).axes[0]
    places = [container.lines[0].get_xdata()[0] for container in axes.containers]
    assert places == pytest.approx([law.ratio for law in ratio_laws(run)])
    bad = load_run(write_claims(Path(shutil.copytree(run_folder, tmp_path / "bad")), rejected=True))
    keys = [text.get_text() for text in claims_chart(bad).legends[0].get_texts()]
    assert keys == ["holds", "rejected", "error of the law"]

"""Numbers in reports: their digits, bounds, and medians."""

import math

import pandas as pd
import pytest

from gradflow_plots.report.claims import has_ratio, relation
from gradflow_plots.report.markup import located, number, plus_minus
from gradflow_plots.report.times import _places


def test_numbers_have_the_digits_that_their_errors_leave() -> None:
    assert located(1783.8837590193625, 9.121e-05) == "1783.883759"
    assert located(124849.17083003081, 0.00505) == "124849.1708"
    assert located(6514529.252, 31.0) == "6514529" and located(1.0, float("nan")) == "1"
    assert (number(0.000469007123), number(1e5), number(float("nan")), number(float("inf")), number("x")) == (
        "0.000469007", "100000", "–", "∞", "x",
    )  # fmt: skip
    assert "±" not in plus_minus("1", 0) and "± 9.1e-05" in plus_minus("1", 9.121e-05)


@pytest.mark.parametrize(
    ("word", "sign", "has"), [("equal", "", True), ("at most", "≤ ", False), ("at least", "≥ ", False), ("", "", True)]
)
@pytest.mark.parametrize("verdict", ["holds", "rejected"])
def test_bounds_are_what_the_table_names_so(word: str, sign: str, has: bool, verdict: str) -> None:
    row = {"derived": 0.1, "measured": 0.3, "statement": "d ≤ c", "lower": 0.3, "upper": 0.3, "verdict": verdict}
    assert relation({**row, "relation": word}) == sign and has_ratio({**row, "relation": word}) == has


@pytest.mark.parametrize(
    ("times", "bounds", "expected"),
    [
        ([1, 2, 4, 7], [], ("1", "3", "7")),
        ([1, 2, 4], [9], ("1", "3", "4")),
        ([1, 2, 4], [9, 9], ("1", "4", "4")),
        ([1, 4], [6, 10], ("1", "> 5", "4")),
        ([1], [9, 9], ("1", "> 9", "1")),
        ([], [9], ("–", "–", "–")),
    ],
)
def test_the_median_counts_what_was_not_reached(
    times: list[float], bounds: list[float], expected: tuple[str, str, str]
) -> None:
    columns = [pd.Series(values, dtype=float) for values in (times, [math.nan] * len(times), bounds)]
    assert _places(*columns) == expected

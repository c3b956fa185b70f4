"""What theory derives for a run, from its ``claims.csv``: numbers to draw beside the flow."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from .run import Run


@dataclass(frozen=True)
class Law:
    """One finding: what was derived, how far that may be off, and what the flow shows."""

    claim: str
    statement: str
    derived: float
    model_error: float
    measured: float
    lower: float
    upper: float
    verdict: str
    note: str = ""
    flow: str = ""
    #: How measured is to stand to derived: ``equal``, ``at most`` or ``at least``.
    relation: str = "equal"

    @property
    def is_bound(self) -> bool:
        """Whether what is derived is a bound and no number that is to be met."""
        return self.relation != "equal"

    @property
    def ratio(self) -> float:
        """Measured over derived; not a number where nothing is derived but 0 or a bound."""
        return self.measured / self.derived if self.derived else math.nan


def laws_of(claims: pd.DataFrame) -> list[Law]:
    """The rows of a table of claims that say something of the flow, in their order."""
    rows: Iterator[Any] = claims.itertuples()
    laws = [
        Law(
            row.claim,
            row.statement,
            float(row.derived),
            0.0 if math.isnan(row.model_error) else float(row.model_error),
            float(row.measured),
            float(row.lower),
            float(row.upper),
            row.verdict,
            row.note,
            "" if isinstance(row.flow, float) else str(row.flow),
            row.relation,
        )
        for row in rows
    ]
    return [law for law in laws if math.isfinite(law.measured) and math.isfinite(law.derived)]


def matching(run: Run, claim: str, pattern: str) -> list[tuple[re.Match[str], Law]]:
    """The laws of one claim whose statements match a pattern, with what it found."""
    found = []
    for law in laws_of(run.claims[run.claims["claim"] == claim]):
        match = re.search(pattern, law.statement)
        if match:
            found.append((match, law))
    return found


def selection_rates(run: Run) -> tuple[str, dict[str, Law]]:
    """G2: S*, and for every other set the rate of ln(c_S*/c_S)."""
    best, rates = "", {}
    for match, law in matching(run, "G2", r"slope, S\*=\{(.*?)\}, S=\{(.*?)\}"):
        best = _subset(match[1])
        rates[_subset(match[2])] = law
    return best, rates


def selection_time(run: Run) -> tuple[float, Law] | None:
    """G3: the share that counts as complete, and when S* reaches it."""
    found = matching(run, "G3", r"p_S\* reaches ([\d.e+-]+)")
    return (float(found[0][0][1].rstrip(".")), found[0][1]) if found else None


def copying_leaks(run: Run, kind: str) -> dict[str, tuple[float, Law]]:
    """G4: for each head the clock at which 1 − σ is derived, and the law; ``kind`` is ``gap ODE`` or ``asymptote``."""
    found = matching(run, "G4", rf"1−σ of head (\d+) at t=([\d.e+-]+), {kind}$")
    return {match[1]: (float(match[2]), law) for match, law in found}


def growth_exponent(run: Run) -> Law | None:
    """G6: the exponent r of ȧ ~ e^{−ra} where the flow ended."""
    found = matching(run, "G6", "local exponent r")
    return found[0][1] if found else None


def scale_at_rest(run: Run) -> Law | None:
    """G7: the zero of ∂L/∂a."""
    found = matching(run, "G7", "^a at the end")
    return found[0][1] if found else None


def _subset(text: str) -> str:
    """``{1,2}`` without its braces as columns write it: ``1+2``; the empty set is ``0``."""
    return text.replace(" ", "").replace(",", "+") or "0"

"""The claims of a run, or of many runs together, as tables with verdicts."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import pandas as pd

from .markup import Html, columns, details, join, note, number, plural, plus_minus, real, span, table, tag, text, verdict
from .subject import Subject, verdict_counts

#: So many statements have a line of their own in a part that stands open; more are summed up first.
MOST_ROWS = 60
#: So many lines a table has at most; the file has them all.
MOST_LINES = 300

#: What stands before a derived number, by its relation.
_SIGNS = {"at most": "≤ ", "at least": "≥ "}

_HEADS = "claim|statement, reference, note|derived ± model|measured ± interval|ratio|verdict"
_TITLES = "claim|statement|statement, reference, note"
_NUMBERS = "derived ± model|measured ± interval|ratio"


def claims_section(subject: Subject) -> Html:
    """Return the claims with their verdicts; a sentence where there are none."""
    claims = subject.claims
    if claims.empty:
        stated = subject.settings.get("claims", "[]")
        if stated not in ("", "[]") and subject.path.parent.name not in ("flows", "replicates"):
            return note("The experiment claims ", tag("code", stated), ", but there is no claims.csv: run it again.")
        return note("No law is claimed here: the experiment has no key ", tag("code", "claims"), ".")
    places = "where" if "where" in claims.columns else "flow"
    has_places = places in claims.columns and claims[places].map(_word).astype(bool).any()
    is_wide = "reference" not in claims.columns  # those of a sweep, a statement for each of its runs
    if len(claims) <= MOST_ROWS and not is_wide:
        return join([_count(claims), _table(claims, places if has_places else "", "Claims")], "\n")
    parts: list[object] = [_count(claims), _summary(claims)]
    rejected = claims[claims["verdict"] == "rejected"]
    if not rejected.empty:
        parts += [tag("h4", "Rejected"), _table(rejected, places, "Rejected claims")]
    file = "phase-diagram.csv" if is_wide else "claims.csv"
    parts.append(
        details(f"All {plural(len(claims), 'statement')} one by one", _table(claims, places, "All claims", file=file))
    )
    return join(parts, "\n")


def count_sentence(claims: pd.DataFrame) -> str:
    """Return ``17 statements hold, 1 rejected, 2 not applicable``."""
    counts = verdict_counts(claims)
    parts = [f"{plural(counts['holds'], 'statement holds', 'statements hold')}"]
    parts += [f"{counts[word]} {word}" for word in ("rejected", "not applicable") if counts[word]]
    return ", ".join(parts)


def _count(claims: pd.DataFrame) -> Html:
    sentence = count_sentence(claims)
    counts = verdict_counts(claims)
    word = "rejected" if counts["rejected"] else "holds" if counts["holds"] else "not applicable"
    return tag("p", verdict(word), f" — {sentence}. “Holds” means that derived and measured differ by no more than the "
               "model's error and the interval of the measurement together, or that a bound (≤, ≥) is kept.")  # fmt: skip


def _table(claims: pd.DataFrame, places: str, label: str, *, file: str = "claims.csv") -> Html:
    rows: Iterator[Any] = (row._asdict() for row in claims.head(MOST_LINES).itertuples(index=False))
    heads = columns(("run|" if places else "") + _HEADS, _NUMBERS, _TITLES)
    whole = table(heads, ([*([_place(row, places)] if places else []), *_row(row)] for row in rows), label, is_cards=True)
    if len(claims) <= MOST_LINES:
        return whole
    return join([whole, note(f"The first {MOST_LINES} of {len(claims)}; {file} has them all.")])


def _row(row: dict[str, Any]) -> list[object]:
    word = _word(row.get("verdict")) or "unknown"
    derived, measured = real(row.get("derived")), real(row.get("measured"))
    error = real(row.get("model_error"))
    half = (real(row.get("upper")) - real(row.get("lower"))) / 2
    sign = relation(row)
    says = math.isfinite(measured) and word in ("holds", "rejected")
    return [
        tag("b", row["claim"]),
        _statement(row),
        plus_minus(sign + number(derived), error) if says else "–",
        plus_minus(number(measured), half) if says else "–",
        f"{measured / derived:.4f}" if says and has_ratio(row) else "–",
        verdict(word),
    ]


def _statement(row: dict[str, Any]) -> Html:
    """What is stated, and below it where that comes from and what is to be noted."""
    below = [word for word in (_word(row.get("reference")), _word(row.get("note"))) if word]
    small = tag("span", " — ".join(below), class_="source") if below else ""
    return join([tag("span", _word(row.get("statement")) or "–", class_="statement"), small])


def relation(row: dict[str, Any]) -> str:
    """Return ``≤ `` or ``≥ `` where what is derived is a bound, and nothing where it is a number."""
    return _SIGNS.get(_word(row.get("relation")), "")


def has_ratio(row: dict[str, Any]) -> bool:
    """Whether measured over derived says something: no bound, and nothing that is zero to rounding."""
    derived, measured = real(row.get("derived")), real(row.get("measured"))
    half = (_zero(row.get("upper")) - _zero(row.get("lower"))) / 2
    return math.isfinite(measured) and abs(derived) > 10 * half and not relation(row)


def _summary(claims: pd.DataFrame) -> Html:
    """One line for each statement, whichever numbers it is about, or for each claim where those are too many."""
    names = claims["statement"].map(lambda statement: re.sub(r", [\w.]+=.*| at [\w.]+=.*", "", _word(statement)))
    if claims["claim"].astype(str).str.cat(names, "|").nunique() > MOST_ROWS:
        names = names.map(lambda _: "")
    rows = []
    for (claim, statement), group in claims.assign(_name=names).groupby(["claim", "_name"], sort=False):
        counts = verdict_counts(group)
        ratios = [
            row["measured"] / row["derived"] for row in group.to_dict("records") if has_ratio(row)
        ]
        word = "rejected" if counts["rejected"] else "holds" if counts["holds"] else "not applicable"
        rows.append([
            tag("b", claim), tag("span", statement, class_="statement"), len(group),
            span(f"{min(ratios):.4f}", "…", f"{max(ratios):.4f}") if ratios else "–",
            counts["holds"], counts["rejected"], counts["not applicable"], verdict(word),
        ])  # fmt: skip
    heads = columns("claim|statement|statements|measured / derived|hold|rejected|not applicable|verdict",
                    "statements|measured / derived|hold|rejected|not applicable", _TITLES)  # fmt: skip
    return table(heads, rows, "Claims, summed up", is_cards=True)


def _place(row: dict[str, Any], places: str) -> Html:
    named = _word(row.get(places))
    if not named and _word(row.get("flow")):
        named = f"flow {number(row['flow'])}"
    return text(named or "across runs")


def _word(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None or value != value else number(value)


def _zero(value: Any) -> float:
    found = real(value)
    return 0.0 if math.isnan(found) else found

"""Pieces of HTML: whatever is not ``Html`` is text and is escaped, so nothing that a file says can be markup."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

#: Elements without an end.
_VOID = frozenset({"br", "meta", "link"})
#: A table of more columns has smaller letters on paper.
_MOST_COLUMNS = 8
#: What no page may hold: control characters, surrogates, and what turns the direction of reading.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")


class Html(str):
    """Markup. What is added to it with ``+`` is a plain text again, and is escaped."""

    __slots__ = ()


def text(value: object) -> Html:
    """Return a value as text of a page; markup stays as it is."""
    if isinstance(value, Html):
        return value
    shown = _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", str(value))
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):  # attributes stand between "
        shown = shown.replace(character, entity)
    return Html(shown)


def join(parts: Iterable[object], between: str = "") -> Html:
    """Return all parts, one after the other."""
    return Html(between.join(text(part) for part in parts))


def tag(name: str, *children: object, **attributes: object) -> Html:
    """Return an element; ``class_`` is ``class``, ``data_label`` is ``data-label``, and None leaves an attribute out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(str(value))}"' for key, value in attributes.items() if value is not None
    )
    if name in _VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{join(children)}</{name}>")


def link(target: str, label: object) -> Html:
    """Return a link to a place of the page."""
    return tag("a", label, href=f"#{target}")


# MARK: Numbers


def real(value: object) -> float:
    """Return a number, also one that a manifest writes as ``"inf"``; what is none is not a number."""
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return math.nan


def number(value: object, digits: int = 6) -> str:
    """Return a number with so many digits, as the program prints it; what is none is a dash."""
    if value is None or isinstance(value, str):
        return str(value or "–")
    found = float(value)  # type: ignore[arg-type]
    if math.isnan(found):
        return "–"
    if math.isinf(found):
        return "∞" if found > 0 else "-∞"
    if found == int(found) and abs(found) < 1e15 and len(str(abs(int(found)))) <= max(digits, 7):
        return str(int(found))
    return f"{found:.{digits}g}"


def located(value: float, error: float) -> str:
    """Return a number to the second digit of its error."""
    if not (error > 0 and math.isfinite(error) and math.isfinite(value)):
        return number(value, 10)
    decimals = 1 - math.floor(math.log10(error))
    if decimals > 12 or abs(value) >= 1e15:
        return number(value, 12)
    return f"{value:.{decimals}f}" if decimals > 0 else f"{round(value, decimals):.0f}"


def plus_minus(value: str, error: float, digits: int = 2) -> Html:
    """Return ``value ± error``, which may break before the ±; no error, or one of 0, is no ±."""
    shown = tag("span", value, class_="n")
    if not math.isfinite(error) or error == 0:
        return shown
    return tag("span", shown, " ", tag("span", f"± {number(error, digits)}", class_="n e"), class_="pm")


def span(first: str, sign: str, last: str) -> Html:
    """Return ``first … last``, which may break behind the sign and nowhere else."""
    return tag("span", tag("span", f"{first} {sign}", class_="n"), " ", tag("span", last, class_="n"), class_="pm")


def plural(count: int, one: str, many: str = "") -> str:
    """Return ``1 run``, ``2 runs``."""
    return f"{count} {one if count == 1 else many or one + 's'}"


# MARK: Verdicts

_SIGNS = dict.fromkeys(("holds", "finished", "matches"), "✓") | dict.fromkeys(
    ("rejected", "BROKEN", "failed", "diverged", "differs"), "✗"
)
_CLASSES = {"✓": "good", "✗": "bad"}


def verdict(word: object) -> Html:
    """Return a verdict as a sign and its word, so that it needs no colour."""
    sign = _SIGNS.get(str(word), "–")
    return tag("span", tag("span", sign, class_="sign", aria_hidden="true"), " ", word or "unknown",
               class_=f"verdict {_CLASSES.get(sign, 'open')}")  # fmt: skip


# MARK: Tables


@dataclass(frozen=True)
class Column:
    """A column: its head, whether it holds numbers, and whether it names what its row is about."""

    head: str
    is_number: bool = False
    is_title: bool = False


def columns(heads: str, numbers: str = "", titles: str = "") -> list[Column]:
    """Return columns by their heads, those in ``numbers`` aligned as such, those in ``titles`` the names of rows.

    All are separated by ``|``; without ``titles`` the first one is it.
    """
    named = heads.split("|")
    return [Column(head, head in numbers.split("|"), head in (titles or named[0]).split("|")) for head in named]


def table(heads: Sequence[Column], rows: Iterable[Sequence[object]], label: str, *, is_cards: bool = False) -> Html:
    """Return a table that scrolls inside its own box; ``is_cards`` makes its rows cards on a phone.

    A column without a single entry is left out.
    """
    cells = [[text(cell) for cell in row] for row in rows]
    kept = [at for at in range(len(heads)) if any(row[at] not in ("", "–") for row in cells)] or [0]
    head = tag("tr", *(
        tag("th", heads[at].head, scope="col", role="columnheader", class_="num" if heads[at].is_number else None)
        for at in kept
    ), role="row")  # fmt: skip
    body = join(
        (tag("tr", *(_cell(heads[at], row[at], is_cards) for at in kept), role="row") for row in cells), "\n"
    )
    whole = tag(
        "table",
        tag("thead", head, role="rowgroup"), "\n", tag("tbody", body, role="rowgroup"),
        class_=" ".join(
            name for name, holds in (("cards", is_cards), ("broad", len(kept) > _MOST_COLUMNS)) if holds
        ) or None, role="table", aria_label=label,
    )  # fmt: skip
    return tag("div", whole, class_="scroll", tabindex="0", role="region", aria_label=label)


def _cell(column: Column, content: Html, is_card: bool) -> Html:
    flags = {"num": column.is_number, "title": column.is_title, "none": content in ("", "–")}
    names = [name for name, holds in flags.items() if holds]
    # A card is a grid of a label and one thing beside it.
    shown = tag("div", content) if is_card else content
    return tag("td", shown, role="cell", data_label=column.head, class_=" ".join(names) or None)


def listing(pairs: Iterable[tuple[str, object]]) -> Html:
    """Return names with their values, those without a value left out."""
    rows = [
        tag("div", tag("dt", name), tag("dd", value)) for name, value in pairs if value not in ("", None)
    ]
    return tag("dl", join(rows, "\n")) if rows else Html("")


def details(summary: object, *content: object, is_open: bool = False) -> Html:
    """Return a part that opens when its summary is touched."""
    return tag("details", tag("summary", summary), *content, open="" if is_open else None)


def note(*content: object) -> Html:
    """Return a remark."""
    return tag("p", *content, class_="note")

"""Figures as SVG inside a page: ids of their own, colours that follow the page's, and a width that the page sets."""

from __future__ import annotations

import io
import re
from typing import Literal

import matplotlib as mpl
from matplotlib.figure import Figure

from . import style
from .saving import METADATA, settle

#: What matplotlib says of all lines, in a rule that would be one of the whole page.
_JOINS = "stroke-linejoin:round;stroke-linecap:butt"

Theme = Literal["light", "dark", "auto"]

#: The names under which a page may set the colours: ``--gradflow-ink`` and so on.
VARIABLES = {
    style.BLACK: "ink",
    style.GREY: "grey",
    style.PALE: "pale",
    style.PAPER: "paper",
    style.TINT: "tint",
    style.GRID: "grid",
    style.BLUE: "blue",
    style.VERMILION: "vermilion",
    style.GREEN: "green",
    style.PURPLE: "purple",
    style.SKY: "sky",
    style.ORANGE: "orange",
}


def figure_svg(
    figure: Figure,
    prefix: str,
    *,
    width: str = "100%",
    theme: Theme = "auto",
    title: str = "",
    description: str = "",
    scale: float = 1,
) -> str:
    """Return a figure as one ``<svg>`` element that stands inside a page, the same text for the same figure.

    Every id begins with ``prefix``, which must differ between the figures of a page. ``width`` is any length of CSS;
    the element is never wider than ``scale`` times its figure at 96 pixels an inch. Texts are shapes, so that no font
    is needed; ``title`` and ``description`` say what readers of the screen hear. ``auto`` takes colours from the
    variables of ``theme_css``, ``light`` and ``dark`` have them written in.
    """
    if not re.fullmatch(r"[A-Za-z][\w-]*", prefix):
        raise ValueError(f"a prefix of ids begins with a letter and has letters, digits, - and _ only, not {prefix!r}")
    settle(figure)
    buffer = io.StringIO()
    with mpl.rc_context(style.complete()):
        figure.savefig(buffer, format="svg", dpi=200, metadata=METADATA["svg"])
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"(\sid=\")", rf"\1{prefix}-", text)
    text = re.sub(r"(href=\"#|url\(#)", rf"\1{prefix}-", text)
    body = text[text.index(">") + 1 :]
    box = re.search(r'viewBox="([^"]+)"', text)
    assert box is not None, "matplotlib writes a viewBox"
    pixels = figure.get_figwidth() * 96 * scale
    described = f'aria-describedby="{prefix}-description" ' if description else ""
    opening = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{box[1]}" role="img" aria-label="{_escape(title or prefix)}" {described}'
        f'style="width:{width};max-width:{pixels:.0f}px;height:auto;fill:{style.BLACK};{_JOINS}">'
    )
    if described:
        opening += f'<title>{_escape(title or prefix)}</title><desc id="{prefix}-description">{_escape(description)}</desc>'
    return (_coloured(opening, theme) + _classed(_coloured(_short(body), theme), prefix)).rstrip() + "\n"


def theme_css() -> str:
    """Return the rules of both themes: dark where the reader prefers it, or where the page has ``data-theme``, and light on paper."""
    light = "".join(f"--gradflow-{name}:{colour};" for colour, name in VARIABLES.items())
    dark = "".join(f"--gradflow-{name}:{style.DARK[colour]};" for colour, name in VARIABLES.items())
    return (
        f":root{{{light}}}\n"
        f'@media screen and (prefers-color-scheme: dark){{:root:not([data-theme="light"]){{{dark}}}}}\n'
        f'@media screen{{:root[data-theme="dark"]{{{dark}}}}}\n'
    )


def _short(text: str) -> str:
    """The same shapes in fewer letters: to a hundredth of a point, without indents and what nothing refers to."""
    text = re.sub(
        r'(?<= d=")[^"]*', lambda found: re.sub(r"-?\d+\.\d{3,}", lambda one: _hundredths(one[0]), found[0]), text
    )
    text = re.sub(r'(?<= [xy]=")-?\d+\.\d{3,}(?=")', lambda one: _hundredths(one[0]), text)
    text = re.sub(r"translate\(([-\d.]+) ([-\d.]+)\)", _translation, text)
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', text))
    text = re.sub(r' id="([^"]*)"', lambda found: found[0] if found[1] in used else "", text)
    text = re.sub(r"<!--.*?-->|<style.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r"\s*\n\s*", "\n", text)
    return re.sub(r"(?<=[;:]) | ?\n?(?=/>)", "", text)


def _classed(text: str, prefix: str) -> str:
    """The same with one rule for every style that several elements have."""
    styles = re.findall(r'style="([^"]*)"', text)
    common = [one for one in dict.fromkeys(styles) if styles.count(one) > 1]
    names = {one: f"{prefix}-s{number}" for number, one in enumerate(common)}
    rules = "".join(f".{name}{{{one}}}" for one, name in names.items())
    text = re.sub(
        r'style="([^"]*)"', lambda found: f'class="{names[found[1]]}"' if found[1] in names else found[0], text
    )
    return f"<style>{rules}</style>{text}" if rules else text


def _hundredths(number: str) -> str:
    return f"{float(number):.2f}".rstrip("0").rstrip(".")


def _translation(found: re.Match[str]) -> str:
    return f"translate({_hundredths(found[1])} {_hundredths(found[2])})"


def _coloured(text: str, theme: Theme) -> str:
    if theme == "light":
        return text
    table = {colour.lower(): colour for colour in VARIABLES}
    short = {"#fff": style.PAPER, "#000": style.BLACK}

    def replace(match: re.Match[str]) -> str:
        colour = short.get(match[0].lower()) or table.get(match[0].lower())
        if colour is None:
            return match[0]
        return style.DARK[colour] if theme == "dark" else f"var(--gradflow-{VARIABLES[colour]},{colour.lower()})"

    # Only inside styles: an image's data may look like a colour.
    return re.sub(
        r'style="[^"]*"',
        lambda found: re.sub(r"#(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{3})\b", replace, found[0]),
        text,
    )


def _escape(text: str) -> str:
    for character, entity in (("&", "&amp;"), ('"', "&quot;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(character, entity)
    return text

"""The figures of all subjects of a page, as many as it has room for, those first that show the questions."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..registry import FigureKind, figures_for
from ..style import COLUMN
from ..svg import figure_svg
from ..tables import RunError
from .markup import Html, join, note, tag
from .origin import shell_word
from .subject import Subject

#: So many bytes of figures a page has at most, so that one of a few runs stays below 2 MB.
ROOM = 1_500_000
#: How much larger figures are on a wide page than in print, where a letter has 7 points.
SCALE = 1.3
#: What a page says of a figure that an exception lost.
FAULT = "a fault of gradflow_plots"


@dataclass
class Drawn:
    """The figures of one subject: those that are drawn, and the names of those that are not, with the reason."""

    figures: list[tuple[FigureKind, Html]] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def draw_figures(subjects: Sequence[tuple[str, Subject]], room: int = ROOM) -> dict[str, Drawn]:
    """Draw what applies to subjects with prefixes of ids of their own; give the figures by prefix.

    The first figures of all subjects come before the second ones, until there is no more room.
    """
    wanted = {prefix: figures_for(subject.source) if subject.source else [] for prefix, subject in subjects}
    drawn = {prefix: Drawn() for prefix, _ in subjects}
    used, is_full = 0, room <= 0
    for rank in range(max((len(kinds) for kinds in wanted.values()), default=0)):
        for prefix, subject in subjects:
            if rank >= len(wanted[prefix]):
                continue
            kind = wanted[prefix][rank]
            box = None if is_full else _draw(kind, subject, f"{prefix}-{kind.name}", drawn[prefix])
            if box is not None and used + len(box.encode()) <= room:
                used += len(box.encode())
                drawn[prefix].figures.append((kind, box))
            elif is_full or box is not None:
                is_full = True
                drawn[prefix].left_out.append(kind.name)
    return drawn


def _draw(kind: FigureKind, subject: Subject, name: str, drawn: Drawn) -> Html | None:
    try:
        figure = kind.draw(subject.source)
        title = f"{subject.name}: {kind.name}"
        svg = figure_svg(figure, name, title=title, description=kind.caption, scale=SCALE)
        # Never smaller than in print, where its letters have 7 points; on a phone its box scrolls.
        least = f"{figure.get_figwidth() * 96:.0f}px"
        return tag("div", Html(svg.replace('style="width:', f'style="min-width:{least};width:', 1)), tabindex="0", role="region",
                   class_="drawing" if figure.get_figwidth() <= COLUMN else "drawing wide", aria_label=f"Figure {kind.name}")  # fmt: skip
    except RunError as error:
        drawn.failed.append((kind.name, str(error)))
    except Exception as error:  # one figure is left out, with a note; the page is better than none
        # Of a run that was cut off anything may be missing.
        fault = f"{FAULT}, {type(error).__name__}: {error}"
        drawn.failed.append((kind.name, fault if subject.is_whole else "what was recorded does not reach"))
    print(f"warning: {subject.path}: the figure {kind.name} is left out: {drawn.failed[-1][1]}", file=sys.stderr)
    return None


def figures_section(prefix: str, subject: Subject, drawn: Drawn) -> Html:
    """Return the figures with their captions, each in a box of its own that scrolls on a narrow screen."""
    parts: list[object] = []
    for kind, box in drawn.figures:
        so_far = "" if subject.is_whole or subject.kind != "run" else " Not complete: drawn of what was recorded."
        caption = tag("figcaption", tag("b", kind.name), " — ", kind.caption, so_far)
        parts.append(tag("figure", "\n", box, "\n", caption, id=f"{prefix}-figure-{kind.name}"))
    for name, reason in drawn.failed:
        parts.append(note(f"The figure {name} cannot be drawn: {reason}"))
    if drawn.left_out:
        parts.append(note(
            f"Left out, so that the page stays small: {', '.join(drawn.left_out)}. ",
            tag("code", f"python -m gradflow_plots {shell_word(subject.path)}"), " draws them."))  # fmt: skip
    return join(parts, "\n") if parts else note("No figure applies to what is recorded here.")

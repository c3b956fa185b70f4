"""Located events: a strip of markers with their error bars, and lines through the panels below."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from . import style
from .run import Run, Stage


def draw_events(strip: Axes, below: list[Axes], run: Run, stage: Stage, levels: int) -> None:
    strip.set_ylim(levels - 0.4, -0.6)  # level 0 on top
    strip.yaxis.set_major_locator(NullLocator())
    strip.spines["left"].set_visible(False)
    strip.spines["bottom"].set_visible(False)
    strip.tick_params(which="both", bottom=False, labelbottom=False)
    low, high = strip.get_xlim()
    rows: Iterable[Any] = run.reached(stage).itertuples()
    events = [
        event
        for event in rows
        if low <= event.clock <= high  # what happened at the very start has no place on a log axis
    ]
    if not events:
        return
    complete = run.settings.get("events.complete_share", "")
    texts = [event_text(str(event.name), complete) for event in events]
    widths = [_text_width(strip, text) for text in texts]
    panel = strip.get_window_extent()
    places = [strip.transData.transform((event.clock, 0))[0] for event in events]
    fits_right = [place + width < panel.x1 for place, width in zip(places, widths, strict=True)]
    fits_left = [place - width > panel.x0 for place, width in zip(places, widths, strict=True)]
    # Texts all to the right with the earlier event above, or all to the left with the earlier
    # below: no line crosses a text. Only where neither fits do they mix, and blank the lines.
    if all(fits_left) and not all(fits_right):
        fits_right = [False] * len(events)
    for index, event in enumerate(events):
        to_right = fits_right[index]
        level = levels - len(events) + (index if any(fits_right) else len(events) - 1 - index)
        error = _error(event)
        lower = max(event.clock - error, low)
        strip.errorbar(
            [event.clock],
            [level],
            xerr=[[event.clock - lower], [error]],
            fmt="o",
            markersize=2.2,
            color=style.BLACK,
            elinewidth=0.8,
            capsize=1.8,
            capthick=0.8,
            clip_on=False,
        )
        strip.plot(
            [event.clock] * 2,
            [level, levels + 0.2],  # down to the first panel
            color=style.GREY,
            linewidth=0.5,
            zorder=1,
            clip_on=False,
        )
        strip.annotate(
            texts[index],
            (event.clock, level),
            xytext=(4 if to_right else -4, 0),
            textcoords="offset points",
            ha="left" if to_right else "right",
            va="center_baseline",
            fontsize=6.5,
            annotation_clip=False,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
        )
        for axes in below:
            axes.axvline(event.clock, color=style.GREY, linewidth=0.5, zorder=1, label="_event")
            if error > 0:
                axes.axvspan(lower, event.clock + error, color=style.GREY, alpha=0.25, linewidth=0)


def _error(event: Any) -> float:
    """The numerical error of an event's time and that of the sample of data, whichever there are, together."""
    parts = (event.t_error, getattr(event, "sampling_error", math.nan))
    return math.hypot(*(part for part in parts if not math.isnan(part)))


def event_text(name: str, complete: str) -> str:
    """What an event is called; ``complete`` is the share that counts as such, where that is known."""
    kind, _, rest = name.partition(".")
    subset = rest.replace("+", "")
    match kind:
        case "selection":
            return rf"$p_{{{subset}}} = 1/2$"
        case "selection-complete":
            return rf"$p_{{{subset}}} = {float(complete):.4g}$" if complete else rf"$p_{{{subset}}} = 1 - 1/L$"
        case "copying":
            return rf"$\sigma^{{{rest}}}_* = 1/2$"
        case "copying-complete":
            return rf"$\sigma^{{{rest}}}_* = 0.99$"
        case "classification":
            return "loss within 1 %"
        case "partial-learning":
            return r"$L_{\mathrm{G4}}$ at 1 %"
        case "plateau-entry":
            return "plateau begins"
        case "plateau-exit":
            return "plateau ends"
        case "emergence":
            return r"$L_{\mathrm{IH}}$ half the plateau"
        case "convergence":
            return r"$L_{\mathrm{IH}}$ 1 % of it"
        case _:
            return name.replace("$", r"\$")


def _text_width(axes: Axes, text: str) -> float:
    """The width of an event's text with its distance from the marker, in pixels."""
    probe = axes.text(0, 0, text, fontsize=6.5)
    width = probe.get_window_extent().width
    probe.remove()
    return float(width) + 4 * axes.figure.dpi / 72

"""When things happen: located events with their error bars, of one run and over many."""

from __future__ import annotations

import math

import pandas as pd

from ..run import Run
from ..sweep import Sweep, one_per_event
from .markup import Html, columns, join, located, note, number, plural, plus_minus, real, table, tag

_MEANINGS = {
    "selection": "the share of the set rises through 1/2",
    "selection-complete": "the share of the set rises through {complete}",
    "copying": "the head's attention on its own lag rises through 1/2",
    "copying-complete": "the head's attention on its own lag rises through 0.99",
    "classification": "all but 1 % of the stage's drop of the loss is done",
    "partial-learning": "the 4-gram loss is down to 1 % of its start",
    "plateau-entry": "the plateau begins",
    "plateau-exit": "the plateau ends",
    "emergence": "the in-context loss is down to half of the plateau",
    "convergence": "the in-context loss is down to 1 % of the plateau",
}


def meaning(name: str, settings: dict[str, str]) -> str:
    """Return what an event is, in words; nothing where it is none of those known."""
    complete = settings.get("events.complete_share", "1 − 1/L")
    return _MEANINGS.get(name.partition(".")[0], "").format(complete=complete)


def events_section(run: Run) -> Html:
    """Return the located events of a run by time, then those that were not reached, as lower bounds."""
    events = run.events
    if events.empty:
        return note("The experiment locates no events.")
    starts = {stage.name: stage.start for stage in run.stages}
    rows: list[list[object]] = []
    for event in events[events["status"] == "reached"].sort_values("t", kind="stable").to_dict("records"):
        errors = [real(event.get(key)) for key in ("t_error", "sampling_error")]
        own = event["t"] - starts.get(event["stage"], math.nan)
        finest = min((error for error in errors if error > 0), default=math.nan)
        rows.append([
            event["name"], event["stage"], plus_minus(located(event["t"], finest), errors[0]),
            number(errors[1], 2), located(own, finest), meaning(event["name"], run.settings),
        ])  # fmt: skip
    parts: list[object] = []
    if rows:
        heads = columns("event|stage|t ± numerical error|± sampling|on the stage's clock|what it is",
                        "t ± numerical error|± sampling|on the stage's clock")  # fmt: skip
        parts.append(table(heads, rows, "Located events", is_cards=True))
        if not any(real(event) > 0 for event in events["t_error"]):
            parts.append(note("No numerical error bars: the flow was not solved a second time."))
    reduced = one_per_event(events)
    missed = reduced[reduced["status"] != "reached"]
    if not missed.empty:
        parts.append(tag("h4", "Not reached"))
        grouped = [
            [names, stage, tag("span", f"> {number(t, 10)}", class_="n"), f"{status} by t = {number(t, 10)}"]
            for (stage, t, status), names in _missed(missed).items()
        ]
        heads = columns("events|stage|t|status", "t")
        parts.append(table(heads, grouped, "Events that were not reached: lower bounds", is_cards=True))
    return join(parts, "\n")


def _missed(events: pd.DataFrame) -> dict[tuple[str, float, str], Html]:
    """Stage, time and status → the events that were not reached by then: ``selection.{1, 2}``."""
    found: dict[tuple[str, float, str], dict[str, list[str]]] = {}
    for event in events.to_dict("records"):
        kind, _, rest = str(event["name"]).partition(".")
        found.setdefault((event["stage"], event["t"], event["status"]), {}).setdefault(kind, []).append(rest)
    return {key: join([tag("span", _braced(kind, rest)) for kind, rest in kinds.items()], ", ")
            for key, kinds in found.items()}  # fmt: skip


def _braced(kind: str, rest: list[str]) -> str:
    named = [part for part in rest if part]
    if not named:
        return kind
    if len(named) == 1:
        return f"{kind}.{named[0]}"
    shown = ", ".join(named[:12])
    return f"{kind}.{{{shown}{f', … {len(named)} in all' if len(named) > 12 else ''}}}"


def sweep_events_section(sweep: Sweep) -> Html:
    """Return for every event how many runs reach it, when, and how many times are lower bounds only."""
    events = sweep.events
    if events.empty:
        return note("No run located an event.")
    has_clock = events["clock"].notna().any()
    rows: list[list[object]] = []
    never: dict[str, list[str]] = {}
    for name, group in events.groupby("name", sort=False):
        reached = group[~group["censored"]]
        censored = group[group["censored"]]
        if reached.empty:
            kind, _, rest = str(name).partition(".")
            never.setdefault(kind, []).append(rest)
            continue
        time = "clock" if has_clock else "t"
        times = reached.sort_values(time, kind="stable").dropna(subset=time)
        first, middle, last = _places(times[time], times["t_error"], censored[time].dropna())
        rows.append([
            name, ", ".join(dict.fromkeys(reached["stage"])), tag("span", f"{len(reached)} of {len(group)}", class_="n"), first, middle, last,
            len(censored) or "–", number(reached["t_error"].max(), 2), meaning(str(name), sweep.settings),
        ])  # fmt: skip
    parts: list[object] = []
    if rows:
        clock = "on the stage's clock" if has_clock else "in the run's time"
        heads = columns("event|stage|reached|earliest|median|latest|not reached|largest ±|what it is",
                        "reached|earliest|median|latest|not reached|largest ±")  # fmt: skip
        parts += [
            note(f"Times {clock}. Where an event was not reached within its stage, its time is a lower bound: it counts "
                 "as later than all others in the median, and is in none of the other numbers."),
            table(heads, rows, "Located events over all runs", is_cards=True),
        ]  # fmt: skip
    if never:
        parts.append(note(f"Reached by no run: {', '.join(_braced(kind, rest) for kind, rest in never.items())}."))
    return join(parts, "\n")


def _places(times: pd.Series, errors: pd.Series, bounds: pd.Series) -> tuple[str, str, str]:
    """Return the earliest of sorted times, the median, and the latest.

    What was not reached counts as later than all others in the median; where that makes it, it is a lower bound.
    """
    if times.empty:
        return "–", "–", "–"
    count = len(times) + len(bounds)
    middle = [(count - 1) // 2, count // 2]
    if middle[1] < len(times):
        median = located(float(times.iloc[middle].mean()), real(errors.iloc[middle].max()))
    else:
        median = f"> {number(float(pd.concat([times, bounds]).median()), 10)}"
    first, last = (located(float(times.iloc[at]), real(errors.iloc[at])) for at in (0, -1))
    return first, median, last


def times_side_by_side(runs: list[tuple[object, Run]]) -> Html:
    """Return the times of the events that at least two runs have, a column for each run."""
    by_run: list[dict[str, Html]] = []
    for _, run in runs:
        cells: dict[str, Html] = {}
        starts = {stage.name: stage.start for stage in run.stages}
        first = run.events.groupby("name")["stage"].first()
        for event in one_per_event(run.events).to_dict("records"):
            own = event["t"] - starts.get(first[event["name"]], math.nan)
            if event["status"] == "reached":
                error = real(event["t_error"])
                cells[event["name"]] = plus_minus(located(own, error), error)
            else:
                cells[event["name"]] = tag("span", f"> {number(own, 10)}", class_="n e")
        by_run.append(cells)
    names = dict.fromkeys(name for cells in by_run for name in cells)
    reached = {event for _, run in runs for event in run.events.loc[run.events["status"] == "reached", "name"]}
    shared = [name for name in names if name in reached and sum(name in cells for cells in by_run) > 1]
    if not shared:
        return Html("")
    rows = [[name, *(cells.get(name, "–") for cells in by_run)] for name in shared]
    titles = [str(label) for label, _ in runs]
    heads = columns("event|" + "|".join(title.replace("|", "/") for title in titles), "|".join(titles))
    return join([
        tag("h3", "Phase times side by side"), table(heads, rows, "Times of events, a column for each run"),
        note("Times are on the clock of the first stage that watches for the event, which starts at 0; > t: not reached by "
             f"then. {plural(len(shared), 'event')} that at least two runs locate."),
    ], "\n")  # fmt: skip

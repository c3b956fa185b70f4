"""The whole page: its head, a table of contents, runs side by side, and the sections of every subject."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

from ..run import Run
from ..svg import theme_css
from ..sweep import Sweep
from .claims import claims_section, count_sentence
from .figures import ROOM, Drawn, draw_figures, figures_section
from .markup import Html, columns, details, join, link, note, number, plural, real, table, tag, text, verdict
from .origin import origin_section, rerun_section
from .solver import solver_section
from .subject import Subject, verdict_counts
from .symbols import quantity_text, symbols_section
from .tables import grid_section, more_sections
from .times import events_section, sweep_events_section, times_side_by_side

#: What tells a page of ours from other files.
MARK = '<meta name="generator" content="gradflow report">'
#: Nothing may be fetched, run or sent.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
#: So many keys that differ between runs are listed at most.
_MOST_KEYS = 40


def page(subjects: list[Subject], *, room: int = ROOM) -> str:
    """Return the page of some subjects, the same text for the same folders; ``room`` is for its figures, in bytes."""
    named = [(f"r{at}", subject) for at, subject in enumerate(subjects, 1)]
    inner = [(f"{prefix}-{at}", one) for prefix, subject in named for at, one in enumerate(subject.inner, 1)]
    drawn = draw_figures([*named, *inner], room)
    title = subjects[0].name if len(subjects) == 1 else f"{plural(len(subjects), 'run')}: {_list(subjects)}"
    parts: list[object] = []
    if len(subjects) > 1:
        parts += [tag("header", tag("h1", f"{len(subjects)} runs side by side")), _contents(named), _side_by_side(named)]
    parts += [_article(prefix, subject, drawn, level=1 if len(subjects) == 1 else 2) for prefix, subject in named]
    parts.append(tag("footer", "Written by ", tag("code", "gradflow report"), " from the folders that it names, alone."))
    style = (Path(__file__).parent / "report.css").read_text(encoding="utf-8")
    head = "\n".join([
        '<meta charset="utf-8">',
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        MARK,
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        '<meta name="referrer" content="no-referrer">',
        '<meta name="format-detection" content="telephone=no">',
        '<link rel="icon" href="data:,">',
        tag("title", title),
        f"<style>\n{theme_css()}{style}</style>",
    ])  # fmt: skip
    body = join(parts, "\n")
    return f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n'


def _list(subjects: list[Subject]) -> str:
    names = [subject.name for subject in subjects]
    return ", ".join(names[:3]) + (" …" if len(names) > 3 else "")


# MARK: One subject


def _article(prefix: str, subject: Subject, drawn: dict[str, Drawn], *, level: int) -> Html:
    sections = list(_sections(prefix, subject, drawn))
    heading = f"h{min(level + 1, 6)}"
    header = tag(
        "header",
        tag(f"h{level}", subject.name),
        tag("p", subject.question, class_="question") if subject.question else "",
        tag("p", _summary(subject), class_="summary"),
        _banner(subject),
        _nav([(f"{prefix}-{anchor}", name) for anchor, name, _ in sections]),
    )
    whole = [
        tag("section", tag(heading, name), "\n", content, id=f"{prefix}-{anchor}", class_=f"s-{anchor}")
        for anchor, name, content in sections
    ]
    runs = [
        details(tag("b", f"{one.path.parent.name}/{one.name}"),
                _article(f"{prefix}-{at}", one, drawn, level=level + 1), is_open=True)
        for at, one in enumerate(subject.inner, 1)
    ]  # fmt: skip
    return tag("article", header, "\n", join([*whole, *runs], "\n"), id=prefix)


def _sections(prefix: str, subject: Subject, drawn: dict[str, Drawn]) -> Iterable[tuple[str, str, Html]]:
    """The sections in their order: an anchor, a heading and the content of each."""
    source = subject.source
    if isinstance(source, Sweep):
        yield "grid", "Runs", grid_section(source, prefix, subject)
    has_flow = isinstance(source, Run | Sweep)
    if has_flow or not subject.claims.empty:
        yield "claims", "Claims", claims_section(subject)
    if isinstance(source, Run):
        yield "times", "Phase times", events_section(source)
    elif isinstance(source, Sweep):
        yield "times", "Phase times", sweep_events_section(source)
    yield from more_sections(subject)
    if source is not None:
        yield "figures", "Figures", figures_section(prefix, subject, drawn[prefix])
    if subject.manifest:
        yield "solver", "Solver quality", solver_section(subject)
    if symbols := symbols_section(source):
        yield "symbols", "Symbols", symbols
    yield "origin", "Provenance", origin_section(subject)
    yield "again", "How to run it again", rerun_section(subject)


def _nav(targets: list[tuple[str, str]]) -> Html:
    return tag("nav", tag("ul", *(tag("li", link(target, name)) for target, name in targets)), aria_label="Sections")


def _summary(subject: Subject) -> Html:
    """One line: how it stands, how the claims do, what was integrated, in which time, to which end."""
    parts: list[object] = [verdict(subject.state) if subject.state else verdict("no manifest")]
    parts.append(subject.kind if subject.kind != "runs" else "run with several flows")
    if verdict_counts(subject.claims)["holds"] or verdict_counts(subject.claims)["rejected"]:
        parts.append(count_sentence(subject.claims))
    stages = subject.manifest.get("stages") or []
    if stages:
        steps = sum(real((stage.get("statistics") or {}).get("steps", 0)) for stage in stages)
        loss = (stages[-1].get("statistics") or {}).get("loss_at_end")
        parts.append(f"{plural(len(stages), 'stage')}, {number(steps, 10)} steps")
        parts.append(f"loss {number(loss, 7)}" if loss is not None else "")
    if isinstance(subject.source, Sweep):
        finished = int((subject.source.runs["status"] == "finished").sum())
        parts.append(f"{finished} of {plural(max(_total(subject), len(subject.source.runs)), 'run')} finished")
    if math.isfinite(subject.seconds):
        parts.append(f"{subject.seconds:.1f}\N{NO-BREAK SPACE}s")
    line = join([part for part in parts if part], " · ")
    ends = [f"{quantity_text(name)} {number(value) if not isinstance(value, str) or value in ('inf', '-inf', 'nan') else value}"
            for name, value in subject.quantities.items()]  # fmt: skip
    return join([line, join([tag("br"), "At the end: " if subject.is_whole else "Where it was left: ", ", ".join(ends)]) if ends else ""])


def _total(subject: Subject) -> int:
    return int((subject.manifest.get("flows") or {}).get("total", 0))


def _banner(subject: Subject) -> Html:
    """What is not as it should be, in the reader's way."""
    lines: list[object] = []
    # "stopped on its way, by a signal" says the state by itself.
    told = subject.message if subject.message.startswith(subject.state) else f"{subject.state}: {subject.message}"
    reason = told if subject.message else subject.state
    if subject.kind in ("runs", "sweep"):
        counts = subject.manifest.get("flows") or {}
        if not subject.is_whole and counts:
            lost = [f"{counts.get(word, 0)} {word}" for word in ("failed", "stopped") if counts.get(word, 0)]
            rest = counts.get("total", 0) - sum(counts.get(word, 0) for word in ("finished", "failed", "stopped"))
            lost += [f"{rest} not run"] if rest > 0 else []
            lines.append(f"Not complete: of {counts.get('total', 0)} runs {', '.join(lost) or 'some are missing'}. "
                         "All counts and ranges below are those of the others.")  # fmt: skip
        elif not subject.is_whole:
            lines.append(f"Not complete: {reason}.")
    elif subject.state == "running":
        lines.append("Not complete: no end is recorded. It is still running, or it was killed.")
    elif subject.state not in ("finished", ""):
        lines.append(f"Not complete: {reason}. What stands here is what was recorded up to there: the last values are not those "
                     "of an end, and claims are missing, or judged on a part of the flow.")  # fmt: skip
    if subject.fault:
        lost = "Its tables cannot be read, so there is no more than its manifest says." if subject.source is None else "Not whole."
        lines.append(f"{lost} {subject.fault}")
    if not lines:
        return Html("")
    return tag("div", *(tag("p", tag("span", "⚠ ", aria_hidden="true"), line) for line in lines), class_="banner")


# MARK: Several subjects


def _contents(named: list[tuple[str, Subject]]) -> Html:
    items = [
        tag("li", link(prefix, subject.name), f" — {subject.question}" if subject.question else "")
        for prefix, subject in named
    ]  # fmt: skip
    return tag("nav", tag("ol", *items), aria_label="Contents", class_="contents")


def _side_by_side(named: list[tuple[str, Subject]]) -> Html:
    rows: list[list[object]] = []
    for prefix, subject in named:
        counts = verdict_counts(subject.claims)
        stages = subject.manifest.get("stages") or []
        loss = (stages[-1].get("statistics") or {}).get("loss_at_end") if stages else None
        events = subject.source.events if isinstance(subject.source, Run | Sweep) else None
        reached = int((events["status"] == "reached").sum()) if events is not None else None
        rows.append([
            link(prefix, subject.name), verdict(subject.state or "no manifest"),
            *(counts[word] if sum(counts.values()) else "–" for word in ("holds", "rejected", "not applicable")),
            f"{reached} of {len(events)}" if events is not None else "–", number(loss, 7),
            ", ".join(f"{quantity_text(name)} {number(value) if not isinstance(value, str) else value}"
                      for name, value in subject.quantities.items()),
            f"{subject.seconds:.1f}" if math.isfinite(subject.seconds) else "–",
        ])  # fmt: skip
    heads = columns("run|state|claims hold|rejected|not applicable|events reached|loss at end|at the end|seconds",
                    "claims hold|rejected|not applicable|events reached|loss at end|seconds")  # fmt: skip
    parts: list[object] = [tag("h2", "Side by side"), table(heads, rows, "Runs side by side", is_cards=True)]
    differing = _differing(named)
    if differing:
        parts += [tag("h3", "Keys that differ"), differing]
    runs = [(_label(at, subject), subject.source) for at, (_, subject) in enumerate(named, 1)
            if isinstance(subject.source, Run)]  # fmt: skip
    if len(runs) > 1:
        parts.append(times_side_by_side([(label, run) for label, run in runs if isinstance(run, Run)]))
    return tag("section", join(parts, "\n"), id="side-by-side")


def _label(at: int, subject: Subject) -> str:
    return f"{at}: {subject.name}"


def _differing(named: list[tuple[str, Subject]]) -> Html:
    """The keys of the experiments that are not the same in all."""
    # What stages trained is that of their keys where all of them came to their ends.
    has_stages = all(subject.kind == "run" and subject.is_whole for _, subject in named)
    told = [
        (_label(at, subject), subject.settings | (_stages(subject) if has_stages else {}))
        for at, (_, subject) in enumerate(named, 1) if subject.settings
    ]  # fmt: skip
    if len(told) < 2:
        return Html("")
    keys = dict.fromkeys(key for _, settings in told for key in settings)
    differing = [key for key in keys if len({settings.get(key) for _, settings in told}) > 1]
    if not differing:
        return note("The experiments have the same values in all keys that stand outside of lists.")
    labels = [label for label, _ in told]
    rows = [
        [tag("code", key), *(text(settings.get(key, "not set")) for _, settings in told)] for key in differing[:_MOST_KEYS]
    ]  # fmt: skip
    rest = f" {len(differing) - _MOST_KEYS} more differ." if len(differing) > _MOST_KEYS else ""
    heads = columns("|".join(["key", *(label.replace("|", "/") for label in labels)]))
    return join([table(heads, rows, "Keys that differ"),
                 note(f"Keys inside of lists are not compared, but for what each stage trained and how long it took.{rest}")], "\n")  # fmt: skip


def _stages(subject: Subject) -> dict[str, str]:
    """The stages that were run as a key of its own: what each trained, and for how long."""
    told = [
        f"{stage['name']}: {' '.join(stage.get('trained_groups', []))} for "
        + number(real(stage.get("t_end")) - real(stage.get("t_start")), 10)
        for stage in subject.manifest.get("stages") or []
    ]
    return {"stages": ", ".join(told)} if told else {}

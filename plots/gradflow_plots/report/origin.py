"""Where a page's numbers come from, and how to get them again."""

from __future__ import annotations

import hashlib
import math
import shlex

from .markup import Html, columns, details, join, listing, note, number, plural, table, tag, verdict
from .subject import Subject

#: Files in a run's folder that are not what the run left.
_OURS = frozenset({"report.html"})
_PROGRAM = ".build/release/gradflow"


def origin_section(subject: Subject) -> Html:
    """Return versions, machine, seeds and times from the manifest, and the SHA-256 of every file of the folder."""
    manifest = subject.manifest
    if not manifest:
        return join([note("No manifest stands beside these tables, so nothing says which program made them."), _files(subject)])
    source = manifest.get("source") or {}
    machine = manifest.get("machine") or {}
    libraries = manifest.get("libraries") or {}
    pairs: list[tuple[str, object]] = [
        ("program", f"gradflow {manifest.get('program_version', 'of an unknown version')}"),
        ("source", _commit(source)),
        ("compiler", manifest.get("compiler", "")),
        *((name, version) for name, version in sorted(libraries.items())),
        ("kernels", manifest.get("kernel_path", "")),
        ("threads", number(manifest["threads"]) if "threads" in manifest else ""),
        ("processor", f"{machine['cpu_model']}, {plural(machine.get('cores', 0), 'core')}" if "cpu_model" in machine else ""),
        ("system", machine.get("operating_system", "")),
        ("memory", _gigabytes(machine.get("physical_memory_bytes"))),
        ("seeds", ", ".join(f"{name} {seed}" for name, seed in sorted((manifest.get("seeds") or {}).items()))),
        ("started", manifest.get("start", "")),
        ("resumed", ", ".join(str(time) for time in manifest.get("resumptions") or [])),
        ("ended", manifest.get("end", "no end is recorded")),
        ("seconds", f"{subject.seconds:.1f}" if math.isfinite(subject.seconds) else ""),
        ("evaluated run", manifest.get("evaluated_run", "")),
        ("SHA-256 of the program", _hash(manifest.get("program_sha256"))),
        ("SHA-256 of the experiment", _experiment_hash(subject)),
    ]
    return join([listing(pairs), _files(subject)], "\n")


def _commit(source: dict[str, object]) -> Html | str:
    if not source.get("commit"):
        return "commit unknown: it was built outside of a git checkout"
    state = "with changes that were not committed" if source.get("dirty") else "without changes"
    return join([tag("code", source["commit"]), f" {state}"])


def _gigabytes(count: object) -> str:
    return f"{float(count) / 2**30:.1f} GiB" if isinstance(count, int | float) else ""


def _hash(value: object) -> Html | str:
    return tag("code", value, class_="hash") if value else ""


def _experiment_hash(subject: Subject) -> Html | str:
    stated = subject.manifest.get("experiment_sha256")
    file = subject.path / "experiment.yaml"
    if not stated:
        return ""
    if not subject.experiment:
        return join([_hash(stated), " but there is no experiment.yaml"])
    is_same = hashlib.sha256(file.read_bytes()).hexdigest() == stated
    return join([_hash(stated), " ", verdict("matches" if is_same else "differs"),
                 "" if is_same else ": experiment.yaml was changed after the run"])  # fmt: skip


def _files(subject: Subject) -> Html:
    folder = subject.path if subject.path.is_dir() else subject.path.parent
    names = [subject.path] if subject.path.is_file() else sorted(folder.iterdir())
    rows = []
    for file in names:
        if file.name in _OURS or file.name.startswith(".") or file.suffix in (".html", ".lock") or file.is_symlink():
            continue
        if file.is_file():
            with file.open("rb") as opened:
                digest = hashlib.file_digest(opened, "sha256").hexdigest()
            rows.append([tag("code", file.name), f"{file.stat().st_size}", _hash(digest)])
    if not rows:
        return Html("")
    return details(
        f"SHA-256 of {plural(len(rows), 'file')}",
        table(columns("file|bytes|SHA-256", "bytes"), rows, "Files of the folder", is_cards=True),
    )


def rerun_section(subject: Subject) -> Html:
    """Return the commands that make it again, and the resolved experiment."""
    lines = _commands(subject)
    parts: list[object] = []
    if lines:
        parts.append(tag("pre", tag("code", "\n".join(lines)), tabindex="0", role="region", aria_label="Commands"))
    else:
        parts.append(note("Nothing here says which experiment it was made from."))
    files = [(key, subject.settings[key]) for key in ("data.file", "data.kernel", "initial.file") if key in subject.settings]
    if files:
        named = join([join([tag("code", key), ": ", tag("code", value)]) for key, value in files], ", ")
        parts.append(note("It reads files beside the experiment, too: ", named, "."))
    if subject.experiment:
        parts.append(details(
            "experiment.yaml, with every default written out",
            tag("pre", tag("code", subject.experiment), tabindex="0", role="region", aria_label="The experiment"),
        ))  # fmt: skip
    return join(parts, "\n")


def _commands(subject: Subject) -> list[str]:
    if subject.kind in ("information", "benchmarks"):
        if subject.kind == "benchmarks":
            return ["make bench    # hours"]
        return [f"{_PROGRAM} information EXPERIMENT --csv {shell_word(subject.path)}    # of the experiment it was made from"]
    place = str(subject.path)
    experiment, again = shell_word(f"{place}/experiment.yaml"), shell_word(f"{place.rstrip('/')}-again")
    lines = []
    source = subject.manifest.get("source") or {}
    if source.get("commit"):
        dirty = "    # it had changes beside this commit" if source.get("dirty") else ""
        lines.append(f"git checkout {shell_word(source['commit'])}{dirty}")
    lines.append("make build")
    match subject.kind:
        case "sweep":
            lines += [f"{_PROGRAM} sweep plan {experiment} --out {again}", f"{_PROGRAM} sweep run {again}",
                      f"{_PROGRAM} sweep collect {again}"]  # fmt: skip
        case "phase plane":
            lines.append(f"{_PROGRAM} phase-plane {experiment} --out {again}")
        case "evaluation":
            run = subject.manifest.get("evaluated_run") or "RUN"
            lines.append(f"{_PROGRAM} evaluate {shell_word(run)} --out {again}    # with the keys evaluation.… below, by --set")
        case "tables":
            lines.append(f"{_PROGRAM} approximate {experiment} --out {again}")
        case _:
            lines.append(f"{_PROGRAM} run {experiment} --out {again}")
    if not subject.is_whole and subject.kind in ("run", "runs"):
        lines += ["", "# or, to go on where it was interrupted:",
                  f"{_PROGRAM} run {experiment} --out {shell_word(place)} --resume"]  # fmt: skip
    elif not subject.is_whole and subject.kind == "sweep":
        lines += ["", "# or, to run what is missing:", f"{_PROGRAM} sweep run --retry-failed {shell_word(place)}",
                  f"{_PROGRAM} sweep collect {shell_word(place)}"]  # fmt: skip
    else:
        lines += ["", "# the same bytes, but for the manifest, which holds times and machine:",
                  f"diff -r -x manifest.json -x report.html -x figures {shell_word(place)} {again}"]  # fmt: skip
    lines += ["", "# this page:", f"{_PROGRAM} report {shell_word(place)}{'' if subject.is_whole else ' --partial'}"]
    return lines


def shell_word(word: object) -> str:
    """A word as a shell takes it; control characters, which no page shows, as bash writes them."""
    plain = str(word)
    if plain.isprintable():
        return shlex.quote(plain)
    return "$'" + "".join(_bash(character) for character in plain) + "'"


def _bash(character: str) -> str:
    if character.isprintable() and character not in "'\\":
        return character
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))

"""Tables and settings as files hold them, read with types and with errors that name the file."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from pathlib import Path

import pandas as pd

#: What nothing is computed with, in whichever table it stands.
TEXTS = frozenset(
    "stage name status optimizer claim statement verdict reference note predictor leader path message set kind of"
    " experiment_sha256 program_version commit relation".split()
)


#: And those of ``phase-diagram.csv``, named after their event or law.
TEXT_NAMES = r"^reached\.|^laws_hold$|\.(statement|verdict|relation)$"


class RunError(Exception):
    """A directory or file that cannot be read or drawn; the text names it, the reason and what to do."""


def read_table(
    path: Path,
    required: Collection[str] = (),
    *,
    texts: Collection[str] = (),
    either: Collection[str] = (),
) -> pd.DataFrame:
    """Read a CSV: numbers to the last bit, ``texts`` and ``TEXTS`` as strings, ``either`` as what they are.

    Raise ``RunError`` where the file cannot be read, lacks a ``required`` column, or holds a text among numbers.
    """
    try:
        _check_end(path)
        names = pd.read_csv(path, nrows=0).columns
        strings = TEXTS | set(texts) | {name for name in names if re.search(TEXT_NAMES, name)}
        # From version 3.1 on pandas reads numbers to the last bit; a test holds it to that.
        table = pd.read_csv(
            path,
            keep_default_na=False,
            na_values={name: ["", "nan"] for name in names if name not in strings},
            dtype={name: "str" for name in names if name in strings},
        )
    except (ValueError, OSError) as error:
        raise RunError(f"{path}: cannot be read: {error}.") from error
    missing = [name for name in required if name not in table.columns]
    if missing:
        raise RunError(f"{path}: no column {', '.join(missing)}.")
    for name in table.columns:
        if name in strings or name in either or pd.api.types.is_numeric_dtype(table[name]):
            continue
        if len(table):
            raise RunError(f"{path}: the column {name} holds something that is no number.")
        table[name] = table[name].astype("float64")
    return table


def _check_end(path: Path) -> None:
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) == 0:
            raise RunError(f"{path}: is empty. What to do: run it again.")
        file.seek(-1, os.SEEK_END)
        if file.read() != b"\n":
            raise RunError(f"{path}: ends in the middle of a line, it was cut short. What to do: run it again.")


def read_settings(path: Path) -> dict[str, str]:
    """Return the keys of a resolved experiment, as ``events.complete_share``, with their values as texts.

    Such a file writes one key on each line; what stands inside lists of sections is left out.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror}.") from error
    settings: dict[str, str] = {}
    section = ""
    for line in text.splitlines():
        found = re.match(r"( {2})?([A-Za-z_]\w*):(?: +(.*))?$", line)
        if not found:
            continue
        inner, key, value = found[1], found[2], re.sub(r"(^|\s+)#.*$", "", found[3] or "").strip()
        if inner is None:
            section = key
        name = f"{section}.{key}" if inner else key
        if value:
            settings.setdefault(name, value.strip("\"'"))
    return settings

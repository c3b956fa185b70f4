"""What the columns of a trajectory are about: subsets of heads, heads, lags."""

from __future__ import annotations

from typing import Any

from .run import Run


def dash_pattern(index: int, shift: float = 0) -> Any:
    """Return solid for 0, then dashes that differ, begun ``shift`` line widths later."""
    dashes: list[tuple[float, ...]] = [(1, 1.6), (5, 1.5, 1, 1.5), (2, 1.2), (7, 2), (4, 2)]
    return "-" if index == 0 else (shift, dashes[(index - 1) % len(dashes)])


def set_text(subset: str) -> str:
    return r"$\emptyset$" if subset == "0" else r"$\{" + subset.replace("+", ", ") + r"\}$"


def heads_of(run: Run) -> dict[str, list[str]]:
    """The lags of each head, from the columns ``attention.head.lag``."""
    heads: dict[str, list[str]] = {}
    for name in run.names("attention"):
        head, _, lag = name.partition(".")
        heads.setdefault(head, []).append(lag)
    return heads


def lags_of(heads: dict[str, list[str]]) -> list[str]:
    """All lags that some head looks at, ascending."""
    return sorted({lag for lags in heads.values() for lag in lags}, key=lambda lag: (len(lag), lag))


def own_lag_of(run: Run, head: str, lags: list[str]) -> str:
    """The lag that a head attends to most at the start."""
    start = run.trajectory.iloc[0]
    return max(lags, key=lambda lag: start[f"attention.{head}.{lag}"])


def winner_of(run: Run) -> str:
    """The subset with the largest share at the end."""
    end = run.trajectory.iloc[-1]
    return max(run.names("share"), key=lambda subset: end[f"share.{subset}"])

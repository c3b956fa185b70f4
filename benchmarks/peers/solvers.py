"""What all peers share: one stage in, samples and counts out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from .problem import Stage


@dataclass(frozen=True)
class StageSolution:
    """One stage solved.

    ``samples``: the trained group at the stage's sample times, shape (samples, n).
    Counts are None where the library does not give them.
    """

    samples: np.ndarray
    steps: int | None = None
    evaluations: int | None = None
    jacobians: int | None = None


class SolverError(Exception):
    """A solver that gave up; the text says why and where."""


class Peer(Protocol):
    """A solver with a gradient."""

    #: What a reader of the results should know, such as "not compiled".
    note: str

    def compile(self, stage: Stage, theta: np.ndarray) -> None:
        """Do all that is done once per program, not per solve, at θ (P)."""

    def solve(self, stage: Stage, theta: np.ndarray) -> StageSolution:
        """Integrate one stage from θ (P)."""

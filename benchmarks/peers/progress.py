"""How far a measurement has come, readable by the process that may have to stop it."""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

_LAYOUT = struct.Struct("<dq")


class Progress:
    """The time reached and the gradients evaluated, in a small file mapped into memory."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(_LAYOUT.pack(0.0, 0))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _LAYOUT.size)
        self.evaluations = 0
        self._origin, self._length = 0.0, 0.0
        self._reached = 0.0

    def at(self, clock: float) -> None:
        """Note one gradient, asked for at ``clock`` of the current stage."""
        self.evaluations += 1
        self.reached(clock)

    def reached(self, clock: float) -> None:
        """Note the time reached on the stage's clock; solvers may look ahead, even beyond its end."""
        self._reached = max(self._reached, self._origin + min(clock, self._length))
        _LAYOUT.pack_into(self._memory, 0, self._reached, self.evaluations)

    def restart(self) -> None:
        """Begin again at 0, for another repetition."""
        self.evaluations, self._origin, self._length, self._reached = 0, 0.0, 0.0, 0.0

    def begin_stage(self, length: float) -> None:
        """Begin a stage of some length where the one before ended."""
        self._origin, self._length = self._origin + self._length, length


def read_progress(path: Path) -> tuple[float, int | None]:
    """Return the time reached, and how many gradients that took if they were counted."""
    reached, evaluations = _LAYOUT.unpack(path.read_bytes())
    return reached, evaluations or None

"""How far a trajectory is from the reference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .problem import Problem


def distances(
    problem: Problem, theta: Sequence[np.ndarray], reference: Sequence[np.ndarray]
) -> dict[str, float]:
    """Return max-norm distances over all parameters, of θ per stage (samples, P).

    ``distance_max``: the largest over all samples; ``distance_end``: at the ends of the stages, and
    ``distance_STAGE`` at the end of that one. ``relative_max``, ``relative_end``: each divided by ‖θ‖_∞ of
    the reference at that time.
    """
    absolute = [np.abs(a - b).max(1) for a, b in zip(theta, reference, strict=True)]
    relative = [d / np.abs(b).max(1) for d, b in zip(absolute, reference, strict=True)]
    return {
        "distance_max": float(max(d.max() for d in absolute)),
        "distance_end": float(max(d[-1] for d in absolute)),
        "relative_max": float(max(d.max() for d in relative)),
        "relative_end": float(max(d[-1] for d in relative)),
        **{f"distance_{s.name}": float(d[-1]) for s, d in zip(problem.stages, absolute)},
    }

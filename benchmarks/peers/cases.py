"""What is measured: every peer with every solver, over tolerances."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

TOLERANCES = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9)
#: The tolerances of a quick look.
QUICK_TOLERANCES = (1e-4, 1e-6, 1e-8)
#: Gradient descent: shares of the largest stable learning rate 2/λ_max of a stage.
STABLE_SHARES = (0.5, 0.1, 0.02)
#: A fixed learning rate, as in the paper's experiments with c and a.
FIXED_RATE = 1.0


@dataclass(frozen=True)
class Case:
    """One measurement.

    ``gradient`` says how the gradient is computed: ``dense``, ``compressed``, or ``own`` (gradflow's).
    ``jacobian``: ``exact``, ``differences``, or empty where the solver uses none.
    ``rtol`` is None for gradient descent, ``rate`` (with ``rate_is_share``, a share of 2/λ_max) for others.
    """

    peer: str
    solver: str
    gradient: str
    jacobian: str = ""
    rtol: float | None = None
    rate: float | None = None
    rate_is_share: bool = False
    event_errors: bool = False

    @property
    def atol(self) -> float | None:
        """Return the absolute tolerance, two digits below the relative one."""
        return None if self.rtol is None else self.rtol * 1e-2

    @property
    def method(self) -> str:
        """Return what stays the same over tolerances, for people: ``diffrax Kvaerno5, dense``."""
        if self.peer == "gradflow":
            return "gradflow, with error bars" if self.event_errors else "gradflow"
        jacobian = {"exact": ", Hessian", "differences": ", differences", "": ""}[self.jacobian]
        return f"{self.peer} {self.solver}, {self.gradient}{jacobian}"

    @property
    def setting(self) -> str:
        """Return what varies within a method: ``rtol 1e-06`` or ``rate 0.5 × 2/λ``."""
        if self.rtol is not None:
            return f"rtol {self.rtol:.0e}"
        return f"rate {self.rate:g} × 2/λ" if self.rate_is_share else f"rate {self.rate:g}"

    @property
    def key(self) -> str:
        """Return a name for files."""
        number = self.rtol if self.rtol is not None else self.rate
        words = [self.peer, self.solver, self.gradient, self.jacobian, f"{number:.0e}"]
        words += ["share"] if self.rate_is_share else []
        words += ["bars"] if self.event_errors else []
        return "-".join(word for word in words if word).lower()

    def to_json(self) -> dict[str, Any]:
        """Return the fields by name."""
        return asdict(self)


def all_cases(*, quick: bool = False) -> list[Case]:
    """Return all measurements: by tolerance, loosest first, and the dense ones after the others.

    Methods stand side by side at one tolerance, so that they share the machine's good and bad hours.
    """
    tolerances = QUICK_TOLERANCES if quick else TOLERANCES
    cases = [case for rtol in tolerances for case in _compressed(rtol)]
    cases += list(_descent(quick))
    cases += [case for rtol in tolerances for case in _dense(rtol)]
    if quick:
        cases = [case for case in cases if case.gradient != "dense" or case.rtol in (None, 1e-4)]
    return cases


def _compressed(rtol: float) -> Iterator[Case]:
    for event_errors in (False, True):
        yield Case("gradflow", "BDF", "own", "exact", rtol, event_errors=event_errors)
    for jacobian in ("exact", "differences"):
        yield Case("scikit-SUNDAE", "BDF", "compressed", jacobian, rtol)
    for solver in ("Kvaerno3", "Kvaerno5", "Tsit5"):
        yield Case("diffrax", solver, "compressed", rtol=rtol)
    for solver in ("BDF", "LSODA"):
        for jacobian in ("exact", "differences"):
            yield Case("SciPy", solver, "compressed", jacobian, rtol)
    yield Case("torchdiffeq", "dopri5", "compressed", rtol=rtol)


def _dense(rtol: float) -> Iterator[Case]:
    for jacobian in ("exact", "differences"):
        yield Case("scikit-SUNDAE", "BDF", "dense", jacobian, rtol)
    for solver in ("Kvaerno3", "Kvaerno5", "Tsit5"):
        yield Case("diffrax", solver, "dense", rtol=rtol)
    yield Case("torchdiffeq", "dopri5", "dense", rtol=rtol)


def _descent(quick: bool) -> Iterator[Case]:
    for gradient in ("compressed", "dense"):
        yield Case("PyTorch", "descent", gradient, rate=FIXED_RATE)
        for share in STABLE_SHARES[:1] if quick else STABLE_SHARES:
            yield Case("PyTorch", "descent", gradient, rate=share, rate_is_share=True)

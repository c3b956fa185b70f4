"""diffrax: the whole solve is one program, compiled by XLA."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from .models_jax import Arrays, Loss, stage_loss
from .problem import Model, Stage
from .progress import Progress
from .solvers import SolverError, StageSolution


class ReportedProgress(diffrax.AbstractProgressMeter):
    """Calls back whenever another hundredth of the stage is done."""

    callback: Callable[[Any], None] = eqx.field(static=True)

    def init(self) -> jax.Array:
        """Return how much has been reported."""
        return jnp.array(0.0)

    def step(self, state: jax.Array, progress: Any) -> jax.Array:
        """Report ``progress`` in [0, 1] if it is time to."""
        due = progress - state > 0.01

        def report() -> None:
            jax.debug.callback(self.callback, progress)

        jax.lax.cond(due, report, lambda: None)
        return jnp.where(due, progress, state)

    def close(self, state: jax.Array) -> None:
        """Do nothing."""


class DiffraxPeer:
    """θ′ = −∇L by ``diffeqsolve``, its own Jacobians from the gradient's forward derivative.

    With ``counting`` every evaluation calls back, which is slow: not for timing.
    """

    note = ""

    def __init__(
        self,
        model: Model,
        loss: Loss,
        data: Arrays,
        progress: Progress,
        *,
        solver: str,
        rtol: float,
        atol: float,
        counting: bool = False,
    ) -> None:
        self.model, self.loss, self.data, self.progress = model, loss, data, progress
        self.solver = getattr(diffrax, solver)()
        self.controller = diffrax.PIDController(rtol=rtol, atol=atol)
        self.counts = {"evaluations": 0, "jacobians": 0}
        self.counting = counting
        self.programs: dict[str, Any] = {}

    def compile(self, stage: Stage, theta: np.ndarray) -> None:
        """Compile the solve of one stage."""
        function = jax.grad(stage_loss(self.model, self.loss, stage.group))
        tick = self._tick() if self.counting else lambda y: y

        def velocity(t: Any, y: jax.Array, args: tuple[Arrays, Arrays]) -> jax.Array:
            return -function(tick(y), *args)

        meter = ReportedProgress(lambda part: self.progress.reached(float(part) * float(stage.clock[-1])))

        def solve(y: jax.Array, clock: jax.Array, args: tuple[Arrays, Arrays]) -> diffrax.Solution:
            return diffrax.diffeqsolve(
                diffrax.ODETerm(velocity),
                self.solver,
                t0=clock[0],
                t1=clock[-1],
                dt0=None,
                y0=y,
                args=args,
                saveat=diffrax.SaveAt(ts=clock),
                stepsize_controller=self.controller,
                max_steps=None,
                throw=False,
                progress_meter=meter,
            )

        self.programs[stage.name] = jax.jit(solve).lower(*self._arguments(stage, theta)).compile()

    def solve(self, stage: Stage, theta: np.ndarray) -> StageSolution:
        """Run the compiled solve."""
        before = dict(self.counts)
        solution = self.programs[stage.name](*self._arguments(stage, theta))
        samples = np.asarray(solution.ys)
        jax.effects_barrier()
        if solution.result != diffrax.RESULTS.successful:
            raise SolverError(f"{stage.name}: {solution.result}")
        counted = {k: v - before[k] for k, v in self.counts.items()} if self.counting else {}
        return StageSolution(samples, steps=int(solution.stats["num_steps"]), **counted)

    def _arguments(self, stage: Stage, theta: np.ndarray) -> tuple[Any, ...]:
        parts = {group: jnp.asarray(part) for group, part in self.model.parts(theta).items()}
        return parts[stage.group].ravel(), jnp.asarray(stage.clock), (parts, self.data)

    def _tick(self) -> Callable[[jax.Array], jax.Array]:
        """Return the identity, which counts how often it and its derivative are formed."""

        def add(what: str) -> None:
            self.counts[what] += 1

        @jax.custom_jvp
        def tick(y: jax.Array) -> jax.Array:
            jax.debug.callback(lambda: add("evaluations"))
            return y

        @tick.defjvp
        def tick_jvp(primals: Any, tangents: Any) -> Any:
            jax.debug.callback(lambda: add("jacobians"))
            return primals[0], tangents[0]

        return tick

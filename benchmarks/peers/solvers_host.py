"""CVODE through scikit-SUNDAE, and SciPy: solvers that call a gradient compiled by JAX."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate import solve_ivp
from sksundae.cvode import CVODE

from .models_jax import Arrays, Loss, stage_loss
from .problem import Model, Stage
from .progress import Progress
from .solvers import SolverError, StageSolution


class HostPeer:
    """A gradient and a Hessian of one stage as functions of NumPy arrays."""

    note = ""

    def __init__(
        self,
        model: Model,
        loss: Loss,
        data: Arrays,
        progress: Progress,
        *,
        rtol: float,
        atol: float,
        exact_jacobian: bool,
        method: str = "BDF",
    ) -> None:
        self.model, self.loss, self.data, self.progress = model, loss, data, progress
        self.rtol, self.atol, self.method = rtol, atol, method
        self.exact_jacobian = exact_jacobian
        self.jacobians = 0
        self.gradients: dict[str, Callable[..., jax.Array]] = {}
        self.hessians: dict[str, Callable[..., jax.Array]] = {}

    def compile(self, stage: Stage, theta: np.ndarray) -> None:
        """Compile gradient and Hessian, by calling them once."""
        function = stage_loss(self.model, self.loss, stage.group)
        self.gradients[stage.name] = jax.jit(jax.grad(function))
        self.hessians[stage.name] = jax.jit(jax.hessian(function))
        y, parts = self._split(stage, theta)
        self.gradients[stage.name](y, parts, self.data).block_until_ready()
        if self.exact_jacobian:
            self.hessians[stage.name](y, parts, self.data).block_until_ready()

    def _split(self, stage: Stage, theta: np.ndarray) -> tuple[np.ndarray, Arrays]:
        parts = {group: jnp.asarray(part) for group, part in self.model.parts(theta).items()}
        return theta[self.model.slices[stage.group]].copy(), parts

    def _functions(
        self, stage: Stage, parts: Arrays
    ) -> tuple[Callable[..., np.ndarray], Callable[..., np.ndarray]]:
        """Return f(t, y) = −∇L and J(t, y) = −∇²L."""
        gradient, hessian = self.gradients[stage.name], self.hessians[stage.name]

        def velocity(t: float, y: np.ndarray) -> np.ndarray:
            self.progress.at(t)
            return -np.asarray(gradient(y, parts, self.data))

        def jacobian(t: float, y: np.ndarray) -> np.ndarray:
            self.jacobians += 1
            return -np.asarray(hessian(y, parts, self.data))

        return velocity, jacobian


class CvodePeer(HostPeer):
    """CVODE's BDF with a dense linear solver."""

    def solve(self, stage: Stage, theta: np.ndarray) -> StageSolution:
        """Integrate one stage."""
        y, parts = self._split(stage, theta)
        velocity, jacobian = self._functions(stage, parts)
        before = self.progress.evaluations

        def fill_velocity(t: float, y: np.ndarray, yp: np.ndarray) -> None:
            yp[:] = velocity(t, y)

        def fill_jacobian(t: float, y: np.ndarray, yp: np.ndarray, out: np.ndarray) -> None:
            out[:] = jacobian(t, y)

        solver = CVODE(
            fill_velocity,
            method="BDF",
            linsolver="dense",
            rtol=self.rtol,
            atol=self.atol,
            max_num_steps=1_000_000,
            jacfn=fill_jacobian if self.exact_jacobian else None,
        )
        solution = solver.solve(stage.clock, y)
        if not solution.success or len(solution.t) != len(stage.clock):
            raise SolverError(f"{stage.name}, t = {solution.t[-1]:g}: {solution.message}")
        return StageSolution(
            solution.y,
            evaluations=self.progress.evaluations - before,
            jacobians=int(solution.njev),
        )


class ScipyPeer(HostPeer):
    """``solve_ivp`` with BDF or LSODA."""

    def solve(self, stage: Stage, theta: np.ndarray) -> StageSolution:
        """Integrate one stage."""
        y, parts = self._split(stage, theta)
        velocity, jacobian = self._functions(stage, parts)
        before = self.progress.evaluations
        solution = solve_ivp(
            velocity,
            (stage.clock[0], stage.clock[-1]),
            y,
            method=self.method,
            t_eval=stage.clock,
            rtol=self.rtol,
            atol=self.atol,
            **({"jac": jacobian} if self.exact_jacobian else {}),
        )
        if not solution.success:
            raise SolverError(f"{stage.name}: {solution.message}")
        return StageSolution(
            solution.y.T,
            evaluations=self.progress.evaluations - before,
            jacobians=int(solution.njev),
        )

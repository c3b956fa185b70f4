"""torchdiffeq, and gradient descent in PyTorch."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from torchdiffeq import odeint

from .models_torch import Loss, compiled, gradient, tensors
from .problem import Model, Stage
from .progress import Progress
from .solvers import StageSolution


class TorchPeer:
    """A gradient of one stage as a function of tensors, through torch.compile where that works."""

    def __init__(self, model: Model, loss: Loss, progress: Progress) -> None:
        self.model, self.loss, self.progress = model, loss, progress
        self.note = ""
        self.losses: dict[str, Loss] = {}

    def compile(self, stage: Stage, theta: np.ndarray) -> None:
        """Compile the gradient with respect to the stage's group."""
        parts = tensors(self.model, theta)
        self.losses[stage.name], self.note = compiled(self.loss, parts, [stage.group])

    def _velocity(
        self, stage: Stage, theta: np.ndarray
    ) -> tuple[torch.Tensor, Callable[[torch.Tensor], torch.Tensor]]:
        """Return y and f(y) = −∇L for the flat group y (n)."""
        loss, group = self.losses[stage.name], stage.group
        parts, shape = tensors(self.model, theta), self.model.shapes[group]

        def velocity(y: torch.Tensor) -> torch.Tensor:
            _, (slope,) = gradient(loss, {**parts, group: y.reshape(shape)}, [group])
            return -slope.reshape(-1)

        return parts[group].reshape(-1), velocity


class TorchdiffeqPeer(TorchPeer):
    """``odeint`` with dopri5."""

    def __init__(
        self, model: Model, loss: Loss, progress: Progress, *, method: str, rtol: float, atol: float
    ) -> None:
        super().__init__(model, loss, progress)
        self.method, self.rtol, self.atol = method, rtol, atol

    def solve(self, stage: Stage, theta: np.ndarray) -> StageSolution:
        """Integrate one stage."""
        y, velocity = self._velocity(stage, theta)
        before = self.progress.evaluations

        def function(t: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            self.progress.at(float(t))
            return velocity(y)

        samples = odeint(
            function,
            y,
            torch.from_numpy(stage.clock),
            rtol=self.rtol,
            atol=self.atol,
            method=self.method,
        )
        return StageSolution(samples.numpy(), evaluations=self.progress.evaluations - before)


class DescentPeer(TorchPeer):
    """Full-batch gradient descent θ ← θ − η∇L, with t = η · step.

    ``rates``: η for every stage.
    """

    def __init__(self, model: Model, loss: Loss, progress: Progress, *, rates: dict[str, float]) -> None:
        super().__init__(model, loss, progress)
        self.rates = rates

    def step_seconds(self, stage: Stage, theta: np.ndarray, *, seconds: float = 3.0) -> float:
        """Return the median time of one step, of at least five."""
        y, velocity = self._velocity(stage, theta)
        times: list[float] = []
        while len(times) < 5 or sum(times) < seconds:
            begin = time.perf_counter()
            y = y + self.rates[stage.name] * velocity(y)
            times.append(time.perf_counter() - begin)
        return float(np.median(times))

    def steps(self, stage: Stage) -> int:
        """Return how many steps the stage takes."""
        return int(np.ceil(stage.clock[-1] / self.rates[stage.name] * (1 - 1e-12)))

    def solve(self, stage: Stage, theta: np.ndarray) -> StageSolution:
        """Descend; samples between two steps are interpolated linearly."""
        y, velocity = self._velocity(stage, theta)
        rate, samples, next_sample = self.rates[stage.name], [y.numpy().copy()], 1
        for step in range(self.steps(stage)):
            begin = step * rate
            self.progress.at(begin)
            before, y = y, y + rate * velocity(y)
            while next_sample < len(stage.clock) and stage.clock[next_sample] <= begin + rate:
                part = (stage.clock[next_sample] - begin) / rate
                samples.append((before + part * (y - before)).numpy())
                next_sample += 1
        while len(samples) < len(stage.clock):  # rounding of the very last time
            samples.append(y.numpy().copy())
        count = self.steps(stage)
        return StageSolution(np.array(samples), steps=count, evaluations=count)
